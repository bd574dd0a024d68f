import type { HeadgateError } from '../contract/errors.js'
import type { Event, Outcome, SinkRecord } from '../contract/index.js'
import type { MaskPath } from '../lib/json/masked.js'
import type { Decided } from './decision.js'
import type { EventContext, StageTime } from './event-log.js'
import type { BuiltStage } from './stage.js'

/** Receives every event that has ended, with its decision and its outcome. */
export interface Tap {
  /** Never throws. */
  offer(event: CompletedEvent): void
  /** Never throws. */
  attempted(attempt: AcknowledgementAttempt): void
}

/** An attempt at acknowledging an event. */
export interface AcknowledgementAttempt {
  readonly pipeline: string
  readonly stage: string
  readonly id: string
  readonly outcome: 'acknowledged' | 'retry' | 'gave-up'
  /** Its end; milliseconds since the epoch. */
  readonly at: number
  /** Its duration in milliseconds. */
  readonly took: number
  /** Why it failed. */
  readonly error: HeadgateError | undefined
}

export const NO_TAPS: ReadonlySet<Tap> = new Set()

/** An event that has ended. */
export interface CompletedEvent {
  readonly pipeline: Pick<TappedPipeline, 'name' | 'masks'>
  readonly outcome: Outcome
  /** Of the sender; undefined if it is unknown. */
  readonly remoteAddress: string | undefined
  /** As received; undefined if the request did not become an event. */
  readonly event: Event | undefined
  /** That was written; undefined if none was. */
  readonly record: SinkRecord | undefined
  /** In the stages, as far as they were measured. */
  readonly times: readonly StageTime[]
  /** The end of its path; milliseconds since the epoch. */
  readonly at: number
  /** The duration of its path in milliseconds. */
  readonly took: number
  /** Why it was rejected, dead-lettered or not taken. */
  readonly error: HeadgateError | undefined
  /** The rule that decided, if the event names it. */
  readonly rule: string | undefined
  /** Asks the stage that dropped it for the rule. */
  readonly askRule: (() => Promise<string | undefined>) | undefined
}

/** The part of a pipeline that taps see. */
export interface TappedPipeline {
  readonly name: string
  /** Values of an event that taps mask. */
  readonly masks: readonly MaskPath[]
  readonly stages: { readonly transforms: readonly BuiltStage<'transform'>[] }
}

/** Called after the response, so that no sender waits for a tap. */
export function tellTaps(
  taps: ReadonlySet<Tap>,
  pipeline: TappedPipeline,
  decided: Decided,
  outcome: Outcome,
  context: EventContext,
): void {
  const event = completedEvent(pipeline, decided, outcome, context)
  setImmediate(() => {
    for (const tap of taps) tap.offer(event)
  })
}

function completedEvent(
  pipeline: TappedPipeline,
  { event, verdict }: Decided,
  outcome: Outcome,
  context: EventContext,
): CompletedEvent {
  const error = errorOf(outcome, context)
  return {
    pipeline,
    outcome,
    remoteAddress: context.request?.remoteAddress,
    event,
    record: recordOf(verdict, outcome),
    times: context.times,
    at: Date.now(),
    took: performance.now() - context.startedAt,
    error,
    // The verdict on a duplicate is not acted on.
    rule: outcome.kind === 'duplicate' ? undefined : (context.event?.route?.name ?? error?.rule),
    askRule:
      outcome.kind === 'dropped' && verdict.kind === 'drop' ? () => ruleOf(pipeline, context) : undefined,
  }
}

/** A sink that refuses the record of an event gets a dead letter in place of it, which is not in the verdict. */
function recordOf(verdict: Decided['verdict'], { kind }: Outcome): SinkRecord | undefined {
  if (kind === 'duplicate' || !('record' in verdict)) return undefined
  return (kind === 'dead-lettered') === (verdict.kind === 'dead-letter') ? verdict.record : undefined
}

/** The outcome of a dead letter is its receipt; the reason is the failure of the stage. */
function errorOf(outcome: Outcome, { failure }: EventContext): HeadgateError | undefined {
  if ('error' in outcome) return outcome.error
  return outcome.kind === 'dead-lettered' ? failure : undefined
}

/** The rule by which the stage that ended last dropped the event. */
async function ruleOf(
  { stages }: TappedPipeline,
  { stage, event }: EventContext,
): Promise<string | undefined> {
  const built = stages.transforms.find(({ name }) => name === stage)
  return event && (await built?.instance.explain?.(event))?.rule
}
