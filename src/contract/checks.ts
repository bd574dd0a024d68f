import type { Files } from './context.js'
import type { ErrorCode } from './errors.js'

/** Something wrong in the config of a stage that its schema cannot say. */
export interface ConfigProblem {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** The characters of the text at that place which are at fault; absent for all of it. */
  readonly within?: { readonly from: number; readonly to: number }
  readonly code: ErrorCode
  readonly message: string
  readonly expected?: string
  /** A sentence, such as `Did you mean "linger.ms"?` */
  readonly suggestion?: string
}

export interface CheckContext {
  readonly files: Files
  /** True where strangers can reach the intake and no process setting allows unverified senders. */
  readonly exposed: boolean
  /** True where the pipeline has a topic for dead letters. */
  readonly deadLetters: boolean
  /** True if a process setting allows settings with which a client loads libraries or runs programs. */
  readonly clientCode?: boolean
}

/** Something that the config of a stage may say, and that is probably not what was meant. */
export interface LintFinding {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** One of the names in `lints`. */
  readonly name: string
  readonly message: string
  readonly suggestion?: string
}

/** What a name stands for, in `docs/lint.md`. A sentence each. */
export interface LintMeaning {
  readonly meaning: string
  readonly why: string
  /** True for what only `probe` can find. */
  readonly outside?: true
}

export interface LintContext extends CheckContext {
  /** JSON Schemas (2020-12 or draft 07) that every event fits when it reaches this stage. */
  readonly ensured: readonly unknown[]
  /** Bytes of the largest body that the source takes; undefined if it does not say. */
  readonly maxBody: number | undefined
}
