import type { Files } from './context.js'
import type { ErrorCode } from './errors.js'
import type { Target } from './event.js'

/** What `probe` is given. Places in the file are JSON Pointers into the whole of it: those of targets lie in other stages. */
export interface ProbeContext {
  readonly pipeline: string
  readonly files: Files
  /** Where the config of the stage is. */
  readonly at: string
  /** Of a sink: everywhere that it would write to, the dead letters included. */
  readonly targets: readonly { readonly at: string; readonly target: Target }[]
  /** Bytes of the largest body that the source takes; undefined where it does not say. */
  readonly maxBody: number | undefined
  /** Milliseconds for which redeliveries are to be recognised. */
  readonly redeliveryWindow: number
  /** Milliseconds for one question to the outside. */
  readonly timeout: number
  /** Aborted when nobody waits any longer: a little after `timeout`, or at Ctrl-C. */
  readonly signal: AbortSignal
}

/** A topic that a sink could write to. */
export interface SinkTopic {
  readonly name: string
  /** How many partitions it has. */
  readonly partitions: number
}

/** One thing that `probe` looked at. No secret is in a message; values of references are taken out by the engine. */
export type Probed =
  /** Of a sink: all that it could write to. The engine knows the rules, and warns of what they leave out. */
  | { readonly kind: 'topics'; readonly topics: readonly SinkTopic[] }
  /** As it should be: a sentence for people. */
  | { readonly kind: 'checked'; readonly message: string }
  /** Could not be looked at: what, and why. */
  | { readonly kind: 'unchecked'; readonly message: string }
  | {
      readonly kind: 'error'
      readonly at: string
      readonly code: ErrorCode
      readonly message: string
      readonly suggestion?: string
    }
  /** `name` is one of the names in `lints`; a comment in the config silences it. */
  | {
      readonly kind: 'warning'
      readonly at: string
      readonly name: string
      readonly message: string
      readonly suggestion?: string
    }
