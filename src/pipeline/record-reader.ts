import type { HeadgateError } from '../contract/errors.js'
import { type LoggedRecord, type RecordSource, receivedBytes } from '../contract/index.js'
import {
  type Action,
  actionOf,
  decidedItem,
  type Item,
  type MakeUnreadableLetter,
  type PastEvent,
  unreadableItem,
} from '../inbox/item.js'
import type { PipelineInbox } from '../inbox/pipeline-inbox.js'
import { type DedupBy, digestOf, identityOf } from '../ledger/identity.js'
import type { Delivery } from './build-delivery.js'
import type { BuiltIntake } from './build-intake.js'
import type { Decided, DecidedEvent, StageRef } from './decision.js'
import { decide } from './path.js'
import { refusal } from './refusal.js'

/** Decides on the records of a source with topics, in the instance that owns their partition. */
export function recordReader(
  records: RecordSource,
  { decider, traffic, settings, stages }: BuiltIntake['intake'],
  { transforms, sinkStage }: Delivery,
  unreadableLetter: MakeUnreadableLetter,
): Pick<PipelineInbox, 'read' | 'past'> {
  const refs = new Map([...transforms, sinkStage].map(({ ref }) => [ref.stage, ref]))
  const identityIf = records.hasIds ? identityOf : () => undefined
  const target = settings.deadLetter ?? { topic: '' }

  function read(record: LoggedRecord, by: DedupBy): Item | Promise<Item> {
    const context = traffic.begin(undefined)
    // It may be dropped with its partition: nothing waits for it.
    traffic.leave()
    const decided = decide(decider, () => records.receive(record), context)
    const { topic, partition, offset } = record
    const item = (later: Decided): Item => {
      const made = itemOf(record, by, later, refs.get(context.stage ?? '') ?? sinkStage.ref)
      made.uncounted = { place: { topic, partition, offset }, context }
      return made
    }
    return decided instanceof Promise ? decided.then(item) : item(decided)
  }

  /** `by`: the stage that decided. */
  function itemOf(record: LoggedRecord, dedupBy: DedupBy, decided: Decided, by: StageRef): Item {
    const { event, verdict } = decided
    if (verdict.kind === 'unavailable') return undecided(record, dedupBy, verdict.error)
    if (event === undefined)
      return unreadableItem(
        record,
        (verdict as { error: HeadgateError }).error,
        stages.source.name,
        unreadableLetter,
      )
    const identity = identityIf(decided.digest, event.id, dedupBy)
    return decidedItem(record, decided, identity, endOf(decided, by))
  }

  const endOf = (decided: DecidedEvent, by: StageRef): Action =>
    decided.verdict.kind === 'reject'
      ? refusal(decider, target, decided.event, decided.digest, decided.verdict.error, by)
      : actionOf(decided)

  const undecided = (record: LoggedRecord, by: DedupBy, error: HeadgateError): Item => ({
    ...decidedItem(record, undefined, undefined, { kind: 'undecided', error }),
    again: () => read(record, by),
  })

  function past(record: LoggedRecord): PastEvent | undefined {
    try {
      const event = records.receive(record)
      return { event, digest: digestOf(receivedBytes(event.body)) }
    } catch {
      return undefined
    }
  }

  return { read, past }
}
