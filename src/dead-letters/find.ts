import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, Receipt, RecordLog, Target } from '../contract/index.js'
import { createHistory, type Discard, type History } from './history.js'
import type { Judgement } from './judge.js'
import { type DeadLetter, deadLetterOf, type LetterFilter, matches } from './letter.js'

/** `claimed`: a replay has said that it sends it, and not yet what came of it. */
export type LetterStatus =
  | { readonly kind: 'open' | 'claimed' }
  | { readonly kind: 'replayed'; readonly receipt: Receipt }
  | ({ readonly kind: 'discarded' } & Discard)

/** Nothing is left to do about it. */
export const isSettled = ({ kind }: LetterStatus): boolean => kind === 'replayed' || kind === 'discarded'

/** What would become of it now, without the record itself. */
export type Prospect =
  | { readonly kind: 'passes'; readonly target: Target }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'fails'; readonly error: HeadgateError }

export interface FoundLetter {
  readonly letter: DeadLetter
  readonly status: LetterStatus
  /** Where it was asked for. */
  readonly prospect?: Prospect
}

export interface FindOptions {
  readonly log: RecordLog
  readonly topic: string
  readonly pipeline: string
  readonly filter: LetterFilter
  /** Those that have been replayed or discarded too. */
  readonly settledToo: boolean
  readonly judge?: (letter: DeadLetter, value: Buffer) => Promise<Judgement>
  /** Only those that would pass; needs `judge`. */
  readonly onlyPassing?: boolean
  /** The newest so many. */
  readonly limit?: number
  onProgress(done: number, total: number): void
}

export interface Found {
  /** Oldest first. */
  readonly letters: readonly FoundLetter[]
  /** Those that the filter matched, before `limit`. */
  readonly matching: number
  /** Those of `matching` that are left out because they have been replayed or discarded. */
  readonly settled: number
  /** By partition: what was read of it. */
  readonly histories: ReadonlyMap<number, History>
}

/** Reads the dead letters of a pipeline, and what became of them. */
export async function findLetters(options: FindOptions): Promise<Found> {
  const { log, topic, pipeline, filter, settledToo, judge, onlyPassing, limit, onProgress } = options
  const partitions = (await log.partitions()).filter((partition) => partition.topic === topic)
  const from = partitions.map(({ partition, start }) => ({ topic, partition, offset: start }))
  const histories = new Map(from.map(({ partition, offset }) => [partition, createHistory(pipeline, offset)]))
  const total = partitions.reduce((sum, { start, end }) => sum + end - start, 0)

  let done = 0
  const candidates: { readonly letter: DeadLetter; readonly prospect: Promise<Prospect> | undefined }[] = []
  await log.read(from, (record: LoggedRecord) => {
    onProgress(Math.min(++done, total), total)
    if (histories.get(record.partition)?.see(record)) return
    const letter = deadLetterOf(record)
    if (letter === undefined || letter.pipeline !== pipeline || !matches(letter, filter)) return
    // What it makes of the value is done by the next batch of records, so that not all of them are held at once.
    candidates.push({ letter, prospect: judge?.(letter, record.value).then(prospectOf) })
  })

  let settled = 0
  const letters: FoundLetter[] = []
  for (const { letter, prospect } of candidates) {
    const status = statusOf(letter, histories)
    const expected = await prospect
    if (onlyPassing && expected?.kind !== 'passes') continue
    if (isSettled(status) && !settledToo) settled++
    else letters.push({ letter, status, ...(expected !== undefined && { prospect: expected }) })
  }
  letters.sort(byAge)
  const newest = limit === undefined ? letters : letters.slice(Math.max(0, letters.length - limit))
  return { letters: newest, matching: letters.length + settled, settled, histories }
}

export function statusOf(
  { partition, offset }: DeadLetter,
  histories: ReadonlyMap<number, History>,
): LetterStatus {
  const history = histories.get(partition)
  const receipt = history?.delivered.get(offset)
  if (receipt !== undefined) return { kind: 'replayed', receipt }
  const discard = history?.discarded.get(offset)
  if (discard !== undefined) return { kind: 'discarded', ...discard }
  return { kind: history?.claims.has(offset) ? 'claimed' : 'open' }
}

export const prospectOf = (judgement: Judgement): Prospect =>
  judgement.kind === 'passes' ? { kind: 'passes', target: judgement.record.target } : judgement

const byAge = ({ letter: a }: FoundLetter, { letter: b }: FoundLetter): number =>
  a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset
