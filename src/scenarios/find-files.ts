import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

const BESIDE = /^(?:.*\.)?scenarios\.json$/

/** The scenario files of a config: `scenarios.json` and `*.scenarios.json` beside it, and `scenarios/*.json`. */
export function scenarioFiles(configPath: string): string[] {
  const folder = dirname(configPath)
  const own = names(folder).filter((name) => BESIDE.test(name))
  const below = names(join(folder, 'scenarios')).filter((name) => name.endsWith('.json'))
  return [...own.map((name) => join(folder, name)), ...below.map((name) => join(folder, 'scenarios', name))]
}

/** Of a folder that is not there, none. */
function names(folder: string): string[] {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory())
    return files.map(({ name }) => name).sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
