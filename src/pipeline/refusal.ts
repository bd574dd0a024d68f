import type { HeadgateError } from '../contract/errors.js'
import { type Event, receivedBytes, type Target } from '../contract/index.js'
import type { Action } from '../inbox/item.js'
import type { StageRef } from './decision.js'
import { verdictOf } from './path.js'
import type { Decider } from './pipeline.js'

/** No sender can be told any more: the event is dropped or a dead letter, and never rejected. */
export function refusal(
  { deadLetter }: Pick<Decider, 'deadLetter'>,
  target: Target,
  event: Event,
  digest: string,
  error: HeadgateError,
  by: StageRef,
): Action {
  if (by.onError === 'drop') return { kind: 'dropped' }
  const verdict = verdictOf(deadLetter, event, digest, { kind: 'dead-letter', error, by }, undefined)
  if (verdict.kind === 'dead-letter') return { ...verdict, kind: 'dead-lettered' }
  const record = { target, key: null, value: receivedBytes(event.body), headers: [] }
  return { kind: 'dead-lettered', record, stage: by.stage, error }
}
