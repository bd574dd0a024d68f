import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginFailure } from './choose-plugin.js'
import { readText } from './files.js'

type Entry = { readonly path: string } | { readonly problem: string }

/**
 * The file that an import of an npm package from `folder` would load; undefined if it is not installed. Node resolves an
 * `import` only from the importing file, and require.resolve refuses packages without CommonJS.
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

/** The first condition that holds decides, in the order of package.json. */
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

/** Describes an error thrown during the import of a plugin, with the line if it can be found. */
export async function loadingFailure(name: string, url: string, thrown: unknown): Promise<PluginFailure> {
  const error = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : undefined
  const { message = String(thrown), stack = '', code } = error ?? {}
  const [first] = message.split('\n')
  const place =
    placeIn(stack, url) ?? (error instanceof SyntaxError ? await placeOfSyntaxError(url) : undefined)
  const at = place === undefined ? '' : `, at ${name}:${place}`
  const missesUs = code === 'ERR_MODULE_NOT_FOUND' && /'headgate'/.test(message)
  return {
    message: `The plugin "${name}" failed while it was loaded${at}: ${first}.`.replace(/\.\.$/, '.'),
    ...(missesUs && { suggestion: 'Run npm install headgate in the folder of the plugin or above it.' }),
  }
}

/** Line and column, as stack traces have them. */
function placeIn(text: string, url: string): string | undefined {
  const file = url.slice(url.lastIndexOf('/')).replace(/\?.*$/, '')
  return new RegExp(`${literally(file)}(?:\\?[0-9a-f]+)?:([0-9]+(?::[0-9]+)?)`).exec(text)?.[1]
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A SyntaxError has no location; `node --check` prints it, and runs nothing of the file. */
const placeOfSyntaxError = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--check', fileURLToPath(url)], (_error, _stdout, stderr) =>
      resolve(placeIn(stderr, url)),
    )
  })
