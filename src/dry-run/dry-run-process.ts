import { runningPlugins } from '../config/check-process.js'
import type { RunningPlugins } from '../config/load-plugins.js'
import type { CheckedConfig, CheckedFiles } from '../config/read.js'
import { type ErrorCode, HeadgateError } from '../contract/errors.js'
import { askProcess, type QuestionLimits, QuestionQueue } from '../process/question.js'
import type { Settings } from '../process/settings.js'
import type { Diff } from './compare.js'
import type { ExplanationJson } from './explanation.js'

/** An event as somebody typed or copied it. */
export interface TriedEvent {
  readonly pipeline: string
  /** Default: the first method that the source accepts for events. */
  readonly method?: string
  readonly query?: string
  /** By lower-case name; without any, the sender is not verified. */
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** If the body is bytes. Default: it is a text. */
  readonly bodyEncoding?: 'base64'
  /** Of an event that the source has accepted: only the stages after it are run. */
  readonly id?: string
}

export const bodyOf = ({ body, bodyEncoding }: TriedEvent): Buffer => Buffer.from(body, bodyEncoding)

/** A file with one scenario: the event, and what the config makes of it now. */
export interface ScenarioText {
  readonly text: string
  /** Something that a person has to check. */
  readonly doubts: readonly string[]
}

/** The JSON that the process reads from its standard input. */
export interface DryRunQuestion {
  readonly settings: Settings
  /** The files of the running config. */
  readonly files: Omit<CheckedFiles, 'contents'> & {
    readonly contents: readonly (readonly [string, string])[]
  }
  readonly subject: DryRunSubject
}

export type DryRunSubject =
  | { readonly kind: 'explain'; readonly event: TriedEvent }
  | { readonly kind: 'scenario'; readonly event: TriedEvent }
  | ({ readonly kind: 'compare' } & CompareRequest)

/** The past events of a pipeline under the running config and another one. */
export interface CompareRequest {
  readonly pipeline: string
  /** The other config file. */
  readonly text: string
  /** The newest records of all topics of the pipeline that are read. */
  readonly limit: number
  /** The plugins that may be loaded, by their names in the config; all if absent. */
  readonly running?: RunningPlugins
}

/** The JSON that it writes. */
export type DryRunReply =
  | { readonly ok: true; readonly result: object }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string }

const COMMAND = 'dry-run'
const LIMITS: QuestionLimits = {
  code: 'HG_ADMIN_QUESTION',
  failed: 'The dry run did not end',
  timeout: 20_000,
  memory: 512,
}
/** A comparison connects to Kafka, reads from it, and runs thousands of events. */
const COMPARISON: QuestionLimits = { ...LIMITS, timeout: 60_000 }

/**
 * Dry runs with the running config, for the admin API: in a child process (the hidden command `dry-run`), because building the
 * stages again can take seconds, and a jsonata expression or a schema may look at an event for as long. Everything rejects
 * with HG_ADMIN_QUESTION if it does not end in time, or with the code of the error in the child process.
 */
export class DryRunProcess {
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

  explain(event: TriedEvent): Promise<ExplanationJson> {
    return this.#ask<ExplanationJson>({ kind: 'explain', event })
  }

  scenario(event: TriedEvent): Promise<ScenarioText> {
    return this.#ask<ScenarioText>({ kind: 'scenario', event })
  }

  /** `mayLoad`: plugins that do not run yet may be loaded. */
  compare(request: Omit<CompareRequest, 'running'>, mayLoad: boolean): Promise<Diff> {
    const running = mayLoad ? {} : { running: runningPlugins(this.#config(), this.#folder) }
    return this.#ask<Diff>({ kind: 'compare', ...request, ...running })
  }

  async #ask<Result>(subject: DryRunSubject): Promise<Result> {
    const reply = await this.#questions.run(LIMITS, () => {
      const { revision, watched, contents } = this.#config()
      const files = { revision, watched, contents: [...contents()] }
      const question: DryRunQuestion = { settings: this.#settings, files, subject }
      return askProcess<DryRunReply>(COMMAND, question, subject.kind === 'compare' ? COMPARISON : LIMITS)
    })
    if (reply.ok) return reply.result as Result
    throw new HeadgateError(reply.code, reply.message)
  }
}
