import type { Outcome } from '../contract/index.js'
import { type Item, placeOf } from '../inbox/item.js'
import type { Decided } from './decision.js'
import { type Tap, type TappedPipeline, tellTaps } from './taps.js'
import type { Traffic } from './traffic.js'

/** An event of a source with topics is counted, and shown to taps, when its transaction is committed. */
export interface RecordEnd {
  readonly traffic: Pick<Traffic, 'ended'>
  readonly taps: ReadonlySet<Tap>
  readonly pipeline: TappedPipeline
}

/** The receipt is the place in the topic of the source: Kafka tells the place of the written record only later. */
export function recordEnded(
  { decided, action, uncounted }: Item,
  isDuplicate: boolean,
  { traffic, taps, pipeline }: RecordEnd,
): void {
  if (uncounted === undefined || action.kind === 'undecided') return
  const { place, context } = uncounted
  const id = decided?.event.id ?? placeOf(place)
  const kind = isDuplicate ? 'duplicate' : action.kind
  const outcome: Outcome = kind === 'dropped' ? { kind, id } : { kind, id, receipt: place }
  const error = 'error' in action ? action.error : undefined
  // The event of a transaction goes through no stage that would note its route.
  if (decided?.verdict.kind === 'send') context.event = decided.event
  // Kafka may have refused the record after all stages.
  context.failure ??= error
  traffic.ended(outcome, context)
  if (taps.size === 0) return
  const unread: Decided | undefined = error && { event: undefined, verdict: { kind: 'reject', error } }
  const told = decided ?? unread
  if (told !== undefined) tellTaps(taps, pipeline, told, outcome, context)
}
