import type { HeadgateError } from './errors.js'
import type { Event } from './event.js'
import type { Explanation, Lifecycle } from './stage.js'

/** What a transform says of an event. */
export type Verdict =
  | { readonly kind: 'pass'; readonly event: Event }
  | { readonly kind: 'drop' }
  /** Bad data; the `onError` of the stage decides what becomes of the event. */
  | { readonly kind: 'fail'; readonly error: HeadgateError }
  /** To the dead-letter topic, whatever `onError` says. */
  | { readonly kind: 'dead-letter'; readonly error: HeadgateError }
  /** Answered 4xx, whatever `onError` says. */
  | { readonly kind: 'reject'; readonly error: HeadgateError }

export const pass = (event: Event): Verdict => ({ kind: 'pass', event })
export const drop = (): Verdict => ({ kind: 'drop' })
export const fail = (error: HeadgateError): Verdict => ({ kind: 'fail', error })

export interface Transform extends Lifecycle {
  /** A thrown HeadgateError of kind `data` counts as `fail`; anything else is infrastructure: 503. */
  apply(event: Event): Verdict | Promise<Verdict>
  /** Why `apply` says what it says. Pure, and never on the path of an event. Without it, only the verdict is shown. */
  explain?(event: Event): Explanation | Promise<Explanation>
}
