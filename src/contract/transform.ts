import type { Static, TSchema } from 'typebox'
import type { Context, Explanation, Lifecycle } from './context.js'
import type { BaseDefinition, CheckContext, RequestRead } from './definition.js'
import type { HeadgateError } from './errors.js'
import type { Event, Target } from './event.js'

/** The decision of a transform on an event. */
export type Verdict =
  | { readonly kind: 'pass'; readonly event: Event }
  | { readonly kind: 'drop' }
  /** Bad data; `onError` of the stage decides what happens to the event. */
  | { readonly kind: 'fail'; readonly error: HeadgateError }
  /** To the dead-letter topic, regardless of `onError`. */
  | { readonly kind: 'dead-letter'; readonly error: HeadgateError }
  /** Responds 4xx, regardless of `onError`. */
  | { readonly kind: 'reject'; readonly error: HeadgateError }

export const pass = (event: Event): Verdict => ({ kind: 'pass', event })
export const drop = (): Verdict => ({ kind: 'drop' })
export const fail = (error: HeadgateError): Verdict => ({ kind: 'fail', error })

export interface Transform extends Lifecycle {
  /**
   * Pure: the same verdict for the same event every time, and no effect outside (metrics aside). An event is decided before
   * the ledger looks whether it came before, so a redelivery is decided again, with `HEADGATE_WORKERS` in any process. A
   * thrown HeadgateError of kind `data` counts as `fail`; anything else is infrastructure: 503.
   */
  apply(event: Event): Verdict | Promise<Verdict>
  /** Explains the verdict of `apply`. Pure, and never on the path of an event. Without it, only the verdict is shown. */
  explain?(event: Event): Explanation | Promise<Explanation>
}

/** A rule of a transform: its name, and the destination of the events that it matches. */
export interface Rule {
  readonly name: string
  readonly to: Target | 'dead-letter' | 'reject' | 'drop'
}

export interface TransformDefinition<Config extends TSchema = TSchema> extends BaseDefinition<Config> {
  readonly kind: 'transform'
  /** True if it sets `route`: a pipeline needs one such transform. */
  readonly routes?: boolean
  /**
   * Every target that a routing transform can choose, with its JSON Pointer in the config of the stage, so that it can be
   * checked before the first event.
   */
  targets?(config: Static<Config>): readonly { readonly at: string; readonly target: Target }[]
  /** The rules by which it can decide, in their order. */
  rules?(config: Static<Config>): readonly Rule[]
  /** The settings that read a part of the request: an event has no other parts of it. */
  reads?(config: Static<Config>): readonly RequestRead[]
  /** Of a transform that changes nothing: the JSON Schema that every event fits when it passes. */
  ensures?(config: Static<Config>, context: CheckContext): unknown
  /** Pure. Called with a checked config. */
  create(config: Static<Config>, context: Context): Transform
}
