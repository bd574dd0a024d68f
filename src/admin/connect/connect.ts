import type { AnyDefinition } from '../../contract/index.js'
import type { Reloader } from '../../pipeline/reload/reloader.js'
import type { Intents } from '../../pipeline/target-state.js'
import type { Loggers } from '../../process/log-levels.js'
import type { ConfigQuestions } from './questions.js'

/** What the REST API of Kafka Connect is answered from. */
export interface Connect {
  readonly reloader: Pick<Reloader, 'running' | 'config' | 'reload' | 'restart'>
  readonly intents: Intents
  readonly loggers: Loggers
  /** The built-in ones. */
  readonly plugins: readonly AnyDefinition[]
  readonly version: string
  /** `host:port`, by which people tell processes apart. */
  readonly worker: string
  /** Absolute path of the config file, and whether it may be written. */
  readonly file: string
  readonly writable: boolean
  /** False until the pipelines have been started. */
  started(): boolean
  readonly questions: ConfigQuestions
  redact(text: string): string
}
