import { dirname, join } from 'node:path'
import { readText } from './read-text.js'

type Entry = { readonly path: string } | { readonly problem: string }

/**
 * The file that an import of an npm package from `folder` would load; undefined where it is not installed. Resolved here,
 * because Node resolves for `import` only from the importing file, and require.resolve refuses packages without CommonJS.
 */
export function packageEntry(name: string, folder: string): Entry | undefined {
  const place = join(folder, 'node_modules', name)
  let text: string
  try {
    text = readText(join(place, 'package.json'))
  } catch {
    return dirname(folder) === folder ? undefined : packageEntry(name, dirname(folder))
  }
  try {
    const { exports, main = 'index.js' } = JSON.parse(text) as { exports?: unknown; main?: string }
    const target = exports === undefined ? main : conditional(mainExport(exports))
    if (target !== undefined) return { path: join(place, target) }
    return {
      problem: `The package "${name}" exports nothing that can be imported: see "exports" of ${place}/package.json.`,
    }
  } catch {
    return { problem: `The package.json of "${name}" in ${place} is not JSON.` }
  }
}

const CONDITIONS = ['node', 'import', 'module-sync', 'default']

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mainExport = (exports: unknown): unknown =>
  isRecord(exports) && Object.keys(exports).some((key) => key.startsWith('.')) ? exports['.'] : exports

/** The first condition that holds decides, in the order of the file. */
function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  const candidates = Array.isArray(target)
    ? target
    : isRecord(target)
      ? Object.entries(target).flatMap(([condition, inner]) =>
          CONDITIONS.includes(condition) ? [inner] : [],
        )
      : []
  for (const candidate of candidates) {
    const path = conditional(candidate)
    if (path !== undefined) return path
  }
  return undefined
}
