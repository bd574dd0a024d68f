import type { HttpResponse, RecordHeader } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import type { DryRun, DryRunResult } from './dry-run.js'

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
type Aspect = 'key' | 'value' | 'headers' | 'acknowledgement' | 'answer'

/** One event under both configs. */
interface Compared {
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
  before: DryRun,
  after: DryRun,
): Promise<Compared & { readonly withoutId: boolean }> {
  const run = (dryRun: DryRun, id: string | undefined) =>
    dryRun.run(
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
  const movesOf = !same(from, to)
  return {
    pipeline: event.pipeline,
    name: id,
    before: from,
    after: to,
    changed: movesOf ? [] : differingAspects(was, is),
    withoutId,
  }
}

const same = (one: Destination, other: Destination): boolean => one.rule === other.rule && one.to === other.to

const hasNoId = ({ outcome }: DryRunResult): boolean =>
  'error' in outcome && outcome.error.code === 'HG_INTAKE_NO_ID'

function destinationOf({ outcome, records, route, steps }: DryRunResult): Destination {
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

function differingAspects(was: DryRunResult, is: DryRunResult): Aspect[] {
  const [before] = was.records
  const [after] = is.records
  const differ: { readonly [aspect in Aspect]: boolean } = {
    key: before?.key !== after?.key,
    value: !(before?.value ?? NOTHING).equals(after?.value ?? NOTHING),
    headers: headersOf(before?.headers) !== headersOf(after?.headers),
    acknowledgement: JSON.stringify(was.calls) !== JSON.stringify(is.calls),
    answer: answerOf(was.response) !== answerOf(is.response),
  }
  return (Object.keys(differ) as Aspect[]).filter((aspect) => differ[aspect])
}

const NOTHING = Buffer.alloc(0)

/** Without what tells one config from another anyway. */
const headersOf = (headers: readonly RecordHeader[] = []): string =>
  JSON.stringify(headers.filter(({ name }) => name !== HEADER.revision))

const answerOf = ({ status, headers, body }: HttpResponse): string => JSON.stringify([status, headers, body])

/** Events that go from one place to another. */
export interface Move {
  readonly before: Destination
  readonly after: Destination
  readonly count: number
  /** The first of them. */
  readonly examples: readonly string[]
}

/** Events that go to the same place, and are otherwise there. */
interface Change {
  readonly at: Destination
  readonly aspects: readonly Aspect[]
  readonly count: number
  readonly examples: readonly string[]
}

/** Many events under two configs. */
export interface Comparison {
  readonly events: number
  /** Every pair of places that an event took, the ones that stay too; the most frequent first. */
  readonly moves: readonly Move[]
  readonly changes: readonly Change[]
  readonly refusedBefore: number
  readonly refusedAfter: number
}

/** Adds events up. */
interface ComparisonBuilder {
  add(compared: Compared): void
  result(): Comparison
}

interface Cell<Key> {
  readonly key: Key
  count: number
  readonly examples: string[]
}

/** `examples`: how many names are kept of each kind. */
export function createComparison(examples: number): ComparisonBuilder {
  const moves = new Map<string, Cell<Pick<Move, 'before' | 'after'>>>()
  const changes = new Map<string, Cell<Pick<Change, 'at' | 'aspects'>>>()
  let events = 0
  let refusedBefore = 0
  let refusedAfter = 0
  const count = <Key>(cells: Map<string, Cell<Key>>, key: Key, name: string): void => {
    const text = JSON.stringify(key)
    const cell = cells.get(text) ?? { key, count: 0, examples: [] }
    cells.set(text, cell)
    cell.count++
    if (cell.examples.length < examples && !cell.examples.includes(name)) cell.examples.push(name)
  }
  return {
    add({ name, before, after, changed }) {
      events++
      if (before.refused) refusedBefore++
      if (after.refused) refusedAfter++
      count(moves, { before, after }, name)
      if (changed.length > 0) count(changes, { at: before, aspects: changed }, name)
    },
    result: () => ({
      events,
      moves: byCount(moves),
      changes: byCount(changes),
      refusedBefore,
      refusedAfter,
    }),
  }
}

const byCount = <Key extends object>(cells: ReadonlyMap<string, Cell<Key>>) =>
  [...cells.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ key, count, examples }) => ({ ...key, count, examples }))

/** Those that do not stay where they are. */
export const moved = ({ moves }: Comparison): readonly Move[] =>
  moves.filter(({ before, after }) => !same(before, after))

export const isSame = (comparison: Comparison): boolean =>
  moved(comparison).length === 0 && comparison.changes.length === 0
