import { asHeadgateError } from '../contract/errors.js'
import type {
  Committed,
  Correlation,
  Event,
  Explanation,
  Handshake,
  Outcome,
  SinkRecord,
  Transform,
} from '../contract/index.js'
import { committedOf } from '../ledger/rows.js'
import { type Decided, type Decision, REFUSED, type StageRef } from '../pipeline/decision.js'
import { EventContext } from '../pipeline/event-log.js'
import type { DecidingPipeline } from '../pipeline/pipeline.js'
import type { Step } from './result.js'

interface StageEnd {
  readonly ref: StageRef
  readonly event: Event | undefined
  readonly decision: Decision<unknown> | Handshake
}

/** Records the decision of every stage. */
export class DryRunContext extends EventContext {
  readonly ends: StageEnd[] = []

  constructor(request: Correlation | undefined) {
    super(request, performance.now(), Number.POSITIVE_INFINITY)
  }

  override stageEnded(
    ref: StageRef,
    event: Event | undefined,
    decision: Decision<unknown> | Handshake,
    ms: number,
  ): void {
    super.stageEnded(ref, event, decision, ms)
    this.ends.push({ ref, event, decision })
  }
}

/** The stages that decided, and the sink that would write the record. */
export async function stepsOf(
  { ends }: DryRunContext,
  { verdict }: Decided,
  { transforms, sink }: DecidingPipeline['stages'],
): Promise<Step[]> {
  const steps: Step[] = []
  for (const { ref, event, decision } of ends) {
    const step = stepOf(ref, decision)
    const transform = transforms.find(({ name }) => name === ref.stage)?.instance
    if (transform === undefined || event === undefined) steps.push(step)
    else {
      const { rule, details } = await explanationOf(transform, event)
      steps.push({ ...step, ...(rule !== undefined && { rule }), details })
    }
  }
  const { plugin } = sink
  const written = { plugin, decision: 'pass', details: [] } as const
  if (verdict.kind === 'send') steps.push({ stage: sink.name, ...written })
  if (verdict.kind === 'dead-letter') steps.push({ stage: 'dead-letter', ...written })
  return steps
}

function stepOf({ stage, plugin }: StageRef, decision: StageEnd['decision']): Step {
  const step = { stage, plugin, decision: decision.kind, details: [] }
  if (!('error' in decision)) return step
  const { code, message, violations, rule } = decision.error
  return { ...step, error: { code, message, violations }, ...(rule !== undefined && { rule }) }
}

/** If `explain` fails, the step is still shown: the decision is valid. */
async function explanationOf(transform: Transform, event: Event): Promise<Explanation> {
  try {
    return (await transform.explain?.(event)) ?? { details: [] }
  } catch (thrown) {
    const { message } = asHeadgateError(thrown, 'Explaining')
    return { details: [{ name: 'explanation', result: message, looked: [] }] }
  }
}

/** The outcome if every record becomes durable, and the input of the post-commit stages. */
export function endOf(
  { event, verdict }: Decided,
  partitionOf: (record: SinkRecord) => number | undefined,
): { readonly outcome: Outcome; readonly committed?: Committed } {
  switch (verdict.kind) {
    case 'send':
    case 'dead-letter': {
      const { record } = verdict
      const receipt = { topic: record.target.topic, partition: partitionOf(record) ?? -1, offset: 0 }
      const kind = verdict.kind === 'send' ? 'delivered' : 'dead-lettered'
      const { id } = event as Event
      return { outcome: { kind, id, receipt }, committed: committedOf(event as Event, receipt) }
    }
    case 'drop': {
      const { id } = event as Event
      return { outcome: { kind: 'dropped', id }, committed: committedOf(event as Event) }
    }
    case 'handshake':
      return { outcome: { ...verdict, id: undefined } }
    default: {
      return { outcome: { kind: REFUSED[verdict.kind], id: event?.id, error: verdict.error } }
    }
  }
}
