import type { CheckedConfig } from '../config/read.js'
import { type Rehearsal, rehearse } from '../dry-run/dry-run.js'
import type { Settings } from '../process/settings.js'
import { knownNames } from '../scenarios/known.js'
import { type BrokenFile, readScenarios, type Scenario } from '../scenarios/read.js'
import type { Io } from './command.js'
import { loadConfig } from './load.js'

/** A file of scenarios with the config that they run on. */
export interface Suite {
  readonly file: string
  readonly scenarios: readonly Scenario[]
  readonly config: CheckedConfig
  readonly rehearsal: Rehearsal
}

export type LoadedScenarios =
  | { readonly ok: true; readonly suites: readonly Suite[] }
  | { readonly ok: false; readonly broken: readonly BrokenFile[] }

/** Reads scenario files, and the config for each with the environment that it gives. Every problem of all of them. */
export async function loadScenarios(
  paths: readonly string[],
  settings: Settings,
  io: Io,
): Promise<LoadedScenarios> {
  const suites: Suite[] = []
  const broken: BrokenFile[] = []
  for (const path of paths) {
    const read = readScenarios(path, io.cwd)
    if (!read.ok) {
      broken.push(read)
      continue
    }
    const { file, environment } = read.text
    const env = { ...io.env, ...environment }
    const loaded = await loadConfig(settings, { ...io, env }, { unresolved: 'placeholder' })
    // A config that is broken is so for every file.
    if (!loaded.ok) return { ok: false, broken: [...broken, loaded] }
    const { config } = loaded
    const rehearsal = rehearse(config)
    const held = read.text.scenarios(knownNames(config, rehearsal))
    if (held.ok) suites.push({ file, scenarios: held.scenarios, config, rehearsal })
    else broken.push(held)
  }
  return broken.length > 0 ? { ok: false, broken } : { ok: true, suites }
}
