import type { Static, TSchema } from 'typebox'
import type { Context, Lifecycle } from './context.js'
import type { BaseDefinition } from './definition.js'
import type { HeadgateError } from './errors.js'
import type { Receipt } from './event.js'

/** The part of an event that is kept once it is durable; all that a post-commit stage can use. */
export interface Committed {
  readonly id: string
  /** Absent if the config says that the event is dropped. */
  readonly receipt?: Receipt
  readonly traceparent?: string
  readonly tracestate?: string
}

/** The result of one attempt to acknowledge an event. The engine decides when the next one is. */
export type Attempt =
  | { readonly kind: 'acknowledged' }
  /** `after`: milliseconds the sender asked us to wait. `throttled`: the limit applies to all events, so all of them wait. */
  | {
      readonly kind: 'retry'
      readonly error: HeadgateError
      readonly after?: number
      readonly throttled?: boolean
    }
  | { readonly kind: 'give-up'; readonly error: HeadgateError }

/** A request that a post-commit stage makes, for people: its secrets are written as `<token>`. */
export interface PostCommitRequest {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

export interface PostCommit extends Lifecycle {
  /** One attempt. Must be idempotent. */
  acknowledge(committed: Committed): Promise<Attempt>
  /** The request that `acknowledge` makes. Pure. Throws a HeadgateError if the event lacks a value that it needs. */
  request?(committed: Committed): PostCommitRequest
}

export interface PostCommitDefinition<Config extends TSchema = TSchema> extends BaseDefinition<Config> {
  readonly kind: 'post-commit'
  /** Pure. Called with a checked config. */
  create(config: Static<Config>, context: Context): PostCommit
}
