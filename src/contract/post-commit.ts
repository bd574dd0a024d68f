import type { HeadgateError } from './errors.js'
import type { Receipt } from './event.js'
import type { Lifecycle } from './stage.js'

/** What is still known of an event once it is durable; all that a post-commit stage can use. */
export interface Committed {
  readonly id: string
  /** Absent where the config says that the event is dropped. */
  readonly receipt?: Receipt
  readonly traceparent?: string
  readonly tracestate?: string
}

/** What one attempt at telling the sender came to. The engine decides when the next one is. */
export type Attempt =
  | { readonly kind: 'acknowledged' }
  /** `after`: milliseconds the sender asked us to wait. `throttled`: it asked all of us, so everything waits. */
  | {
      readonly kind: 'retry'
      readonly error: HeadgateError
      readonly after?: number
      readonly throttled?: boolean
    }
  | { readonly kind: 'give-up'; readonly error: HeadgateError }

/** A request that a post-commit stage makes, for people: what is secret in it is written as `<token>`. */
export interface PostCommitRequest {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

export interface PostCommit extends Lifecycle {
  /** One attempt. Must be safe to repeat. */
  acknowledge(committed: Committed): Promise<Attempt>
  /** The request that `acknowledge` makes. Pure. Throws a HeadgateError where the event has not what it needs. */
  request?(committed: Committed): PostCommitRequest
}
