import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { isExternal, isPath } from '../../config/choose-plugin.js'
import type { RunningPlugins } from '../../config/load-plugins.js'
import type { CheckedConfig, ReadResult } from '../../config/read.js'
import { checkShape } from '../../config/shape.js'
import { asHeadgateError, HeadgateError } from '../../contract/errors.js'
import type { AnyDefinition, Files, Kind } from '../../contract/index.js'
import { builtFile } from '../../process/package.js'
import type { Settings } from '../../process/settings.js'

/** One problem of a config that is being checked. */
interface CheckProblem {
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

/** Checks whether configs could be used. Both methods reject with HG_ADMIN_QUESTION if a check does not finish in time. */
export interface ConfigChecker {
  /** `text`: the whole config file. `mayLoad`: plugins that do not run yet may be loaded for the check. */
  file(text: string, mayLoad: boolean): Promise<CheckResult>
  /** The settings of one stage. */
  stage(definition: AnyDefinition, settings: unknown): Promise<CheckResult>
}

/** The JSON that the checking process reads from its standard input. */
export interface CheckRequest {
  readonly settings: Settings
  readonly subject:
    | { readonly kind: 'file'; readonly text: string }
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

/** Milliseconds for one check, the start of its process included. */
const TIMEOUT = 10_000
/** Checks that wait for others; one runs at a time. */
const MOST_WAITING = 8
const MOST_MEMORY_MIB = 512

/**
 * Checks configs in a child process: thousands of regexes, or a schema that is costly to compile, would block the event loop,
 * and with it probes and events.
 */
export class ConfigCheckProcess implements ConfigChecker {
  readonly #settings: Settings
  readonly #folder: string
  readonly #config: () => CheckedConfig
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** `folder`: of the config file. `config`: the running config. */
  constructor(settings: Settings, folder: string, config: () => CheckedConfig) {
    this.#settings = settings
    this.#folder = folder
    this.#config = config
  }

  file(text: string, mayLoad: boolean): Promise<CheckResult> {
    return this.#enqueue({ subject: { kind: 'file', text }, ...(!mayLoad && { running: this.#plugins() }) })
  }

  stage({ kind, name }: AnyDefinition, settings: unknown): Promise<CheckResult> {
    const subject = { kind: 'stage', stage: kind, plugin: name, settings } as const
    return this.#enqueue({ subject, running: this.#plugins() })
  }

  #plugins(): RunningPlugins {
    return runningPlugins(this.#config(), this.#folder)
  }

  async #enqueue(request: Omit<CheckRequest, 'settings'>): Promise<CheckResult> {
    if (this.#waiting >= MOST_WAITING) throw checkFailed(`${MOST_WAITING} other checks are waiting`)
    this.#waiting++
    const result = this.#last.then(() => runCheck({ ...request, settings: this.#settings }))
    this.#last = result.catch(() => {})
    return result.finally(() => this.#waiting--)
  }
}

/** The external plugins of the running config. */
function runningPlugins(config: CheckedConfig, folder: string): RunningPlugins {
  const texts = config.contents()
  const names = JSON.stringify(config.written).match(/(?<="plugin":")[^"]+/g) ?? []
  return Object.fromEntries(
    names
      .filter(isExternal)
      .map((name) => [name, isPath(name) ? (texts.get(resolve(folder, name)) ?? null) : null]),
  )
}

function runCheck(request: CheckRequest): Promise<CheckResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${MOST_MEMORY_MIB}`, builtFile('cli.js'), 'check-config'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, TIMEOUT)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.once('error', (error) => reject(checkFailed(error.message)))
    child.once('close', () => {
      clearTimeout(timer)
      try {
        resolve(JSON.parse(output) as CheckResult)
      } catch {
        reject(checkFailed(timedOut ? `it took longer than ${TIMEOUT / 1000} s` : 'its process ended'))
      }
    })
    // The process may end before it has read everything; its exit is handled above.
    child.stdin.on('error', () => {}).end(JSON.stringify(request))
  })
}

const checkFailed = (why: string): HeadgateError =>
  new HeadgateError('HG_ADMIN_QUESTION', `The config could not be checked: ${why}.`)

/** Checks the settings of one plugin. References are not resolved. */
export function checkStage(definition: AnyDefinition, settings: unknown, files: Files): CheckResult {
  const checked = structuredClone(settings)
  const found: CheckProblem[] = [...checkShape(definition.config, checked)]
  if (found.length === 0) {
    try {
      const context = { files, exposed: false, deadLetters: true }
      for (const { at, ...problem } of definition.check?.(checked, context) ?? [])
        found.push({ ...problem, pointer: at })
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, definition.name)
      found.push({ pointer: '', code, message })
    }
  }
  return found.length === 0 ? { ok: true } : { ok: false, problems: found }
}
