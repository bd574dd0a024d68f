import type { HttpResponse, RecordHeader } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import type { WrittenRequest } from '../pipeline/request-parts.js'
import type { DryRun, DryRunResult } from './dry-run.js'

/** An event that was received earlier. */
export interface PastEvent {
  readonly pipeline: string
  readonly body: Buffer
  /** The parts of its request that are known. */
  readonly request?: WrittenRequest
  /** Absent if it is unknown: the source then reads it from the body. */
  readonly id?: string
  /** The media type by which its body is decoded, if it is not JSON. */
  readonly contentType?: string | undefined
  /** Shown if the event has no id: `line 7`. */
  readonly name: string
}

/** The end of an event's path. Destinations with the same texts are equal. */
export interface Destination {
  /** The rule that decides, or `otherwise`; undefined if the event does not reach the rules. */
  readonly rule: string | undefined
  /** Such as `topic 2`, `topic by key`, `refused HG_SCHEMA_VIOLATION` or `dropped`. */
  readonly to: string
  /** The sender gets an error response. */
  readonly refused: boolean
}

/** A part of the result that can differ although the destination is the same. */
type Aspect = 'key' | 'value' | 'headers' | 'acknowledgement' | 'response'

/** The results of an event under both configs. */
interface Compared {
  readonly pipeline: string
  /** The id, or `line 7` if there is none. */
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
      {
        ...event.request,
        headers: { 'content-type': event.contentType ?? 'application/json', ...event.request?.headers },
        body: event.body,
      },
      { skipVerification: true, contentType: event.contentType, ...(id !== undefined && { id }) },
    )
  let resultBefore = await run(before, event.id)
  let resultAfter = await run(after, event.id)
  // An id from a header is not in the body that was kept. The destination does not depend on it, so any id will do.
  const withoutId = hasNoId(resultBefore) && hasNoId(resultAfter)
  if (withoutId) {
    resultBefore = await run(before, event.name)
    resultAfter = await run(after, event.name)
  }
  const id = resultBefore.outcome.id ?? resultAfter.outcome.id ?? event.name
  const [from, to] = [destinationOf(resultBefore), destinationOf(resultAfter)]
  const isMoved = !same(from, to)
  return {
    pipeline: event.pipeline,
    name: id,
    before: from,
    after: to,
    changed: isMoved ? [] : differingAspects(resultBefore, resultAfter),
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
  const position = `${record.topic} ${record.partition ?? 'by key'}`
  return { ...base, to: record.deadLetter ? `dead letter ${code}` : position }
}

function differingAspects(before: DryRunResult, after: DryRunResult): Aspect[] {
  const [recordBefore] = before.records
  const [recordAfter] = after.records
  const differ: { readonly [aspect in Aspect]: boolean } = {
    key: recordBefore?.key !== recordAfter?.key,
    value: !(recordBefore?.value ?? NOTHING).equals(recordAfter?.value ?? NOTHING),
    headers: headersOf(recordBefore?.headers) !== headersOf(recordAfter?.headers),
    acknowledgement: JSON.stringify(before.calls) !== JSON.stringify(after.calls),
    response: responseOf(before.response) !== responseOf(after.response),
  }
  return (Object.keys(differ) as Aspect[]).filter((aspect) => differ[aspect])
}

const NOTHING = Buffer.alloc(0)

/** Without the revision, which always differs between two configs. */
const headersOf = (headers: readonly RecordHeader[] = []): string =>
  JSON.stringify(headers.filter(({ name }) => name !== HEADER.revision))

const responseOf = ({ status, headers, body }: HttpResponse): string =>
  JSON.stringify([status, headers, body])

/** Events with another destination. */
export interface Move {
  readonly before: Destination
  readonly after: Destination
  readonly count: number
  /** Names of the first ones. */
  readonly examples: readonly string[]
}

/** Events with the same destination and a different result. */
interface Change {
  readonly at: Destination
  readonly aspects: readonly Aspect[]
  readonly count: number
  readonly examples: readonly string[]
}

/** Many events under two configs. */
export interface Comparison {
  readonly events: number
  /** Every pair of destinations, equal ones included; the most frequent first. */
  readonly moves: readonly Move[]
  readonly changes: readonly Change[]
  readonly refusedBefore: number
  readonly refusedAfter: number
}

/** A comparison of two configs. */
export interface Diff {
  readonly pipeline: string
  /** Names of the two files. */
  readonly before: string
  readonly after: string
  readonly comparison: Comparison
  /** Sentences about events that were left out or rebuilt. */
  readonly notes: readonly string[]
}

interface Cell<Key> {
  readonly key: Key
  count: number
  readonly examples: string[]
}

/** Counts compared events. */
export class ComparisonCounts {
  /** The maximum number of names in a row. */
  readonly #examples: number
  readonly #moves = new Map<string, Cell<Pick<Move, 'before' | 'after'>>>()
  readonly #changes = new Map<string, Cell<Pick<Change, 'at' | 'aspects'>>>()
  #events = 0
  #refusedBefore = 0
  #refusedAfter = 0

  constructor(examples: number) {
    this.#examples = examples
  }

  add({ name, before, after, changed }: Compared): void {
    this.#events++
    if (before.refused) this.#refusedBefore++
    if (after.refused) this.#refusedAfter++
    this.#count(this.#moves, { before, after }, name)
    if (changed.length > 0) this.#count(this.#changes, { at: before, aspects: changed }, name)
  }

  result(): Comparison {
    return {
      events: this.#events,
      moves: byCount(this.#moves),
      changes: byCount(this.#changes),
      refusedBefore: this.#refusedBefore,
      refusedAfter: this.#refusedAfter,
    }
  }

  #count<Key>(cells: Map<string, Cell<Key>>, key: Key, name: string): void {
    const text = JSON.stringify(key)
    const cell = cells.get(text) ?? { key, count: 0, examples: [] }
    cells.set(text, cell)
    cell.count++
    if (cell.examples.length < this.#examples && !cell.examples.includes(name)) cell.examples.push(name)
  }
}

const byCount = <Key extends object>(cells: ReadonlyMap<string, Cell<Key>>) =>
  [...cells.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ key, count, examples }) => ({ ...key, count, examples }))

/** The pairs of different destinations. */
export const moved = ({ moves }: Comparison): readonly Move[] =>
  moves.filter(({ before, after }) => !same(before, after))

export const isSame = (comparison: Comparison): boolean =>
  moved(comparison).length === 0 && comparison.changes.length === 0
