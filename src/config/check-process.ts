import { resolve } from 'node:path'
import type { AnyDefinition, Kind } from '../contract/index.js'
import { askProcess, type QuestionLimits, QuestionQueue } from '../process/question.js'
import type { Settings } from '../process/settings.js'
import { isExternal, isPath } from './choose-plugin.js'
import type { Contents } from './files.js'
import type { RunningPlugins } from './load-plugins.js'
import type { Finding } from './problem.js'
import type { CheckedConfig, CheckedFiles, ReadResult } from './read.js'

/** One problem of a config that is being checked. */
export interface CheckProblem {
  /** Into the config file, or into the settings of the stage. */
  readonly pointer: string
  readonly code: string
  readonly message: string
  readonly expected?: string
  readonly suggestion?: string
}

export type CheckResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly CheckProblem[] }

/** The config file as it is now. */
export type DiskResult =
  | { readonly ok: true; readonly files: CheckedFiles }
  | Extract<ReadResult, { readonly ok: false }>

/** A config as `headgate validate --format json` reports it. */
export interface Findings {
  readonly ok: boolean
  readonly problems: readonly Finding[]
}

/** Checks whether configs could be used. All methods reject with HG_ADMIN_QUESTION if a check does not finish in time. */
export interface ConfigChecker {
  /** `text`: the whole config file. `mayLoad`: plugins that do not run yet may be loaded for the check. */
  file(text: string, mayLoad: boolean): Promise<CheckResult>
  /** Every problem and warning of a whole config file with its location. `mayLoad`: as for `file`. */
  findings(text: string, mayLoad: boolean): Promise<Findings>
  /** The settings of one stage. */
  stage(definition: AnyDefinition, settings: unknown): Promise<CheckResult>
}

/** The JSON that the checking process reads from its standard input. */
export interface CheckRequest {
  readonly settings: Settings
  readonly subject:
    | { readonly kind: 'disk' }
    | { readonly kind: 'file'; readonly text: string }
    | { readonly kind: 'findings'; readonly text: string }
    | { readonly kind: 'stage'; readonly stage: Kind; readonly plugin: string; readonly settings: unknown }
  /** The plugins that may be loaded, by their names in the config; all if absent. */
  readonly running?: RunningPlugins
}

export const checkResultOf = (read: ReadResult): CheckResult =>
  read.ok ? { ok: true } : { ok: false, problems: read.problems.map(withoutLocation) }

const withoutLocation = ({ pointer, code, message, expected, suggestion }: CheckProblem): CheckProblem => ({
  pointer,
  code,
  message,
  ...(expected !== undefined && { expected }),
  ...(suggestion !== undefined && { suggestion }),
})

/** `DiskResult` as JSON. */
export type DiskMessage =
  | (Omit<CheckedFiles, 'contents'> & {
      readonly ok: true
      readonly contents: readonly (readonly [string, string])[]
    })
  | Extract<DiskResult, { readonly ok: false }>

const COMMAND = 'check-config'
const FAILED = 'The config could not be checked'

/** Anybody who reaches the admin listener can ask. */
const QUESTION: QuestionLimits = {
  code: 'HG_ADMIN_QUESTION',
  failed: FAILED,
  timeout: 10_000,
  memory: 512,
}
/** Schemas of 1 MB with a pattern for each property take 8 s, more on a loaded machine. */
const DISK: QuestionLimits = { code: 'HG_RELOAD_FAILED', failed: FAILED, timeout: 60_000 }

/**
 * Checks configs in a child process (the hidden command `check-config`): thousands of regexes, or a schema that is costly to
 * compile, would block the event loop for seconds, and with it probes and events.
 */
export class ConfigCheckProcess implements ConfigChecker {
  readonly #settings: Settings
  readonly #folder: string
  readonly #config: () => CheckedConfig
  readonly #questions = new QuestionQueue()

  /** `folder`: of the config file. `config`: the running config. */
  constructor(settings: Settings, folder: string, config: () => CheckedConfig) {
    this.#settings = settings
    this.#folder = folder
    this.#config = config
  }

  /** The config file as it is now, for a reload. Rejects with HG_RELOAD_FAILED, also when `signal` is aborted. */
  async disk(signal: AbortSignal): Promise<DiskResult> {
    const request = { settings: this.#settings, subject: { kind: 'disk' } } as const
    const checked = await askProcess<DiskMessage>(COMMAND, request, DISK, signal)
    if (!checked.ok) return checked
    const { revision, watched, contents } = checked
    const texts: Contents = new Map(contents)
    return { ok: true, files: { revision, watched, contents: texts } }
  }

  file(text: string, mayLoad: boolean): Promise<CheckResult> {
    return this.#ask({ subject: { kind: 'file', text }, ...(!mayLoad && { running: this.#plugins() }) })
  }

  findings(text: string, mayLoad: boolean): Promise<Findings> {
    return this.#ask({ subject: { kind: 'findings', text }, ...(!mayLoad && { running: this.#plugins() }) })
  }

  stage({ kind, name }: AnyDefinition, settings: unknown): Promise<CheckResult> {
    const subject = { kind: 'stage', stage: kind, plugin: name, settings } as const
    return this.#ask({ subject, running: this.#plugins() })
  }

  #plugins(): RunningPlugins {
    return runningPlugins(this.#config(), this.#folder)
  }

  #ask<Result>(request: Omit<CheckRequest, 'settings'>): Promise<Result> {
    return this.#questions.run(QUESTION, () =>
      askProcess<Result>(COMMAND, { ...request, settings: this.#settings }, QUESTION),
    )
  }
}

/** The external plugins of the running config. */
export function runningPlugins(config: CheckedConfig, folder: string): RunningPlugins {
  const texts = config.contents()
  const names = JSON.stringify(config.written).match(/(?<="plugin":")[^"]+/g) ?? []
  return Object.fromEntries(
    names
      .filter(isExternal)
      .map((name) => [name, isPath(name) ? (texts.get(resolve(folder, name)) ?? null) : null]),
  )
}
