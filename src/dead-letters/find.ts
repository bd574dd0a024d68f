import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, Position, Receipt, RecordLog, Target } from '../contract/index.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import { type LetterFilter, matcherOf } from './filter.js'
import type { Judgement } from './judge.js'
import { type DeadLetter, deadLetterOf } from './letter.js'
import { type Discard, History } from './notes.js'
import { isProven } from './proof.js'

/**
 * `claimed`: a replay is about to send it, and has not noted yet how that ended. `unknown`: nothing proves that the pipeline
 * wrote it, or that a command settled it.
 */
export type LetterStatus =
  | { readonly kind: 'open' | 'claimed' | 'unknown' }
  | { readonly kind: 'replayed'; readonly receipt: Receipt }
  /** A failed acknowledgement that was made after all. */
  | { readonly kind: 'acknowledged'; readonly at: number }
  | ({ readonly kind: 'discarded' } & Discard)

/** Nothing is left to do about it. */
export const isSettled = ({ kind }: LetterStatus): boolean =>
  kind === 'replayed' || kind === 'discarded' || kind === 'acknowledged'

/** The judgement on it now, without the record itself. */
export type Prospect =
  | { readonly kind: 'passes'; readonly target: Target }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'fails'; readonly error: HeadgateError }

export interface FoundLetter {
  readonly letter: DeadLetter
  readonly status: LetterStatus
  /** Present if it was asked for; never for a failed acknowledgement. */
  readonly prospect?: Prospect
}

export interface FindOptions {
  readonly log: RecordLog
  readonly topic: string
  readonly pipeline: string
  readonly filter: LetterFilter
  /** Also those that have been replayed or discarded. */
  readonly includeSettled: boolean
  readonly judge?: (letter: DeadLetter, value: Buffer) => Promise<Judgement>
  /** Only those that would pass; needs `judge`. */
  readonly onlyPassing?: boolean
  /** The newest so many. */
  readonly limit?: number
  /** Dead letters that it does not prove are `unknown`. */
  readonly proof?: RecordMac | undefined
  onProgress(done: number, total: number): void
}

export interface Found {
  /** Oldest first. */
  readonly letters: readonly FoundLetter[]
  /** Those that the filter matched, before `limit`. */
  readonly matching: number
  /** Those of `matching` that are left out because they are settled. */
  readonly settled: number
  /** The notes that were read, by partition. */
  readonly histories: ReadonlyMap<number, History>
}

/** Reads the dead letters of a pipeline and their status. */
export async function findLetters(options: FindOptions): Promise<Found> {
  const { log, topic, pipeline, filter, includeSettled, judge, onlyPassing, limit, proof, onProgress } =
    options
  const partitions = (await log.partitions()).filter((partition) => partition.topic === topic)
  const from = partitions.map(({ partition, start }) => ({ topic, partition, offset: start }))
  const histories = new Map(
    from.map(({ partition, offset }) => [partition, new History(pipeline, offset, proof)]),
  )
  const total = partitions.reduce((sum, { start, end }) => sum + end - start, 0)

  const matches = matcherOf(filter)
  let done = 0
  const candidates: Candidate[] = []
  await log.read(from, (record: LoggedRecord) => {
    onProgress(Math.min(++done, total), total)
    if (histories.get(record.partition)?.add(record)) return
    const letter = deadLetterOf(record)
    if (letter === undefined || letter.pipeline !== pipeline || !matches(letter)) return
    // Judged at once, before the next batch of records comes, so that not all values are in memory at the same time.
    candidates.push({
      letter,
      proven: proof === undefined || isProven(record, proof),
      prospect: letter.failedAck === undefined ? judge?.(letter, record.value).then(prospectOf) : undefined,
    })
  })

  let settled = 0
  const letters: FoundLetter[] = []
  for (const { letter, proven, prospect } of candidates) {
    const status = statusOf(letter, proven, histories)
    const expected = await prospect
    if (onlyPassing && expected?.kind !== 'passes') continue
    if (isSettled(status) && !includeSettled) settled++
    else letters.push({ letter, status, ...(expected !== undefined && { prospect: expected }) })
  }
  letters.sort(byAge)
  const newest = limit === undefined ? letters : letters.slice(Math.max(0, letters.length - limit))
  return { letters: newest, matching: letters.length + settled, settled, histories }
}

interface Candidate {
  readonly letter: DeadLetter
  readonly proven: boolean
  readonly prospect: Promise<Prospect> | undefined
}

function statusOf(
  { partition, offset }: DeadLetter,
  proven: boolean,
  histories: ReadonlyMap<number, History>,
): LetterStatus {
  const history = histories.get(partition)
  const receipt = history?.delivered.get(offset)
  if (receipt !== undefined) return { kind: 'replayed', receipt }
  const at = history?.acknowledged.get(offset)
  if (at !== undefined) return { kind: 'acknowledged', at }
  const discard = history?.discarded.get(offset)
  if (discard !== undefined) return { kind: 'discarded', ...discard }
  if (!proven || history?.doubted.has(offset)) return { kind: 'unknown' }
  return { kind: history?.claims.has(offset) ? 'claimed' : 'open' }
}

export const prospectOf = (judgement: Judgement): Prospect =>
  judgement.kind === 'passes' ? { kind: 'passes', target: judgement.record.target } : judgement

const byAge = ({ letter: a }: FoundLetter, { letter: b }: FoundLetter): number =>
  a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset

/** Visits the records of these letters, in the order of each partition. */
export async function readLetters(
  log: RecordLog,
  letters: readonly FoundLetter[],
  visit: (found: FoundLetter, record: LoggedRecord) => void,
): Promise<void> {
  const wanted = new Map<number, Map<number, FoundLetter>>()
  const from = new Map<number, Position>()
  for (const found of letters) {
    const { topic, partition, offset } = found.letter
    const inPartition = wanted.get(partition) ?? new Map<number, FoundLetter>()
    wanted.set(partition, inPartition.set(offset, found))
    if (offset < (from.get(partition)?.offset ?? Number.POSITIVE_INFINITY))
      from.set(partition, { topic, partition, offset })
  }
  await log.read([...from.values()], (record) => {
    const found = wanted.get(record.partition)?.get(record.offset)
    if (found !== undefined) visit(found, record)
  })
}

export type OneLetter =
  | { readonly kind: 'found'; readonly found: FoundLetter; readonly record: LoggedRecord }
  /** There is none, for this reason. */
  | { readonly kind: 'none'; readonly why: string }

/** Reads one dead letter of a pipeline and its status. `proof`: as of `FindOptions`. */
export async function readLetter(
  log: RecordLog,
  at: Position,
  pipeline: string,
  proof?: RecordMac,
): Promise<OneLetter> {
  const { topic, partition, offset } = at
  const name = `${partition}:${offset}`
  const none = (why: string): OneLetter => ({ kind: 'none', why })
  const kept = (await log.partitions()).find((each) => each.topic === topic && each.partition === partition)
  if (kept === undefined) return none(`Topic "${topic}" has no partition ${partition} for dead letters.`)
  const { start, end } = kept
  if (offset < start || offset >= end) {
    const range = start === end ? 'nothing' : `${partition}:${start} to ${partition}:${end - 1}`
    return none(`There is no record at ${name} of topic "${topic}"; there is ${range}.`)
  }
  const history = new History(pipeline, offset, proof)
  let record: LoggedRecord | undefined
  await log.read([at], (each) => {
    if (each.offset === offset) record = each
    history.add(each)
  })
  const letter = record && deadLetterOf(record)
  if (record === undefined || letter === undefined)
    return none(`The record at ${name} of topic "${topic}" is not a dead letter of Headgate.`)
  if (letter.pipeline !== pipeline)
    return none(`The dead letter at ${name} is of the pipeline "${letter.pipeline}", not "${pipeline}".`)
  const proven = proof === undefined || isProven(record, proof)
  const status = statusOf(letter, proven, new Map([[partition, history]]))
  return { kind: 'found', found: { letter, status }, record }
}

const ENOUGH = new Error('enough has been read')

/** Reads from a position until `visit` returns true, or to the end of the partition. */
export async function readUntil(
  log: RecordLog,
  from: Position,
  visit: (record: LoggedRecord) => boolean,
): Promise<void> {
  try {
    await log.read([from], (record) => {
      if (visit(record)) throw ENOUGH
    })
  } catch (thrown) {
    if (thrown !== ENOUGH) throw thrown
  }
}
