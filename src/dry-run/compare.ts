import type { HttpResponse, RecordHeader } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import type { Rehearsal, Rehearsed } from './dry-run.js'

/** An event that came once. */
export interface PastEvent {
  readonly pipeline: string
  readonly body: Buffer
  /** Where it is known; otherwise the source finds it. */
  readonly id?: string
  /** For people, where it turns out to have no id: `line 7`. */
  readonly name: string
}

/** Where an event ends. Two that are written the same are the same. */
export interface Destination {
  /** The rule that decides, or `otherwise`; undefined where none gets to. */
  readonly rule: string | undefined
  /** As `topic 2`, `topic by key`, `refused HG_SCHEMA_VIOLATION`, `dropped`. */
  readonly to: string
  /** The sender is told no. */
  readonly refused: boolean
}

/** What is other for an event that goes to the same place. */
export type Aspect = 'key' | 'value' | 'headers' | 'acknowledgement' | 'answer'

/** One event under both configs. */
export interface Compared {
  readonly pipeline: string
  /** The id, or `line 7` where there is none. */
  readonly name: string
  readonly before: Destination
  readonly after: Destination
  readonly changed: readonly Aspect[]
}

/** Runs an event under two configs. */
export async function compareEvent(
  event: PastEvent,
  before: Rehearsal,
  after: Rehearsal,
): Promise<Compared & { readonly withoutId: boolean }> {
  const run = (rehearsal: Rehearsal, id: string | undefined) =>
    rehearsal.run(
      event.pipeline,
      { headers: { 'content-type': 'application/json' }, body: event.body },
      { skipVerification: true, ...(id !== undefined && { id }) },
    )
  let was = await run(before, event.id)
  let is = await run(after, event.id)
  // An id that comes in a header is not in what was kept; where the event goes does not hang on it.
  const withoutId = hasNoId(was) && hasNoId(is)
  if (withoutId) {
    was = await run(before, event.name)
    is = await run(after, event.name)
  }
  const id = was.outcome.id ?? is.outcome.id ?? event.name
  const [from, to] = [destinationOf(was), destinationOf(is)]
  const moved = !same(from, to)
  return {
    pipeline: event.pipeline,
    name: id,
    before: from,
    after: to,
    changed: moved ? [] : changedAspects(was, is),
    withoutId,
  }
}

export const same = (one: Destination, other: Destination): boolean =>
  one.rule === other.rule && one.to === other.to

const hasNoId = ({ outcome }: Rehearsed): boolean =>
  'error' in outcome && outcome.error.code === 'HG_INTAKE_NO_ID'

function destinationOf({ outcome, records, route, steps }: Rehearsed): Destination {
  const [record] = records
  const refused = 'error' in outcome
  const base = { rule: route, refused }
  if ('error' in outcome) return { ...base, to: `refused ${outcome.error.code}` }
  if (record === undefined) return { ...base, to: outcome.kind }
  const code = record.deadLetter
    ? steps.find(({ decision }) => decision === 'dead-letter')?.error?.code
    : undefined
  const place = `${record.topic} ${record.partition ?? 'by key'}`
  return { ...base, to: record.deadLetter ? `dead letter ${code}` : place }
}

function changedAspects(was: Rehearsed, is: Rehearsed): Aspect[] {
  const [before] = was.records
  const [after] = is.records
  const differ: { readonly [aspect in Aspect]: boolean } = {
    key: before?.key !== after?.key,
    value: !(before?.value ?? NOTHING).equals(after?.value ?? NOTHING),
    headers: headersOf(before?.headers) !== headersOf(after?.headers),
    acknowledgement: JSON.stringify(was.calls) !== JSON.stringify(is.calls),
    answer: answerOf(was.answer) !== answerOf(is.answer),
  }
  return (Object.keys(differ) as Aspect[]).filter((aspect) => differ[aspect])
}

const NOTHING = Buffer.alloc(0)

/** Without what tells one config from another anyway. */
const headersOf = (headers: readonly RecordHeader[] = []): string =>
  JSON.stringify(headers.filter(({ name }) => name !== HEADER.revision))

const answerOf = ({ status, headers, body }: HttpResponse): string => JSON.stringify([status, headers, body])
