import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Log, LoggedRecord, LogPartition, Position, RecordLog } from '../contract/index.js'
import { adoptTopics, forgetReplaced, otherTopic, requireUnreplaced } from './replaced-log.js'
import type { PipelineState } from './store.js'

export interface ReadBackOptions {
  /** The log of now: a reload can change it while an attempt waits for the next. */
  log(): RecordLog
  readonly state: PipelineState
  /** Milliseconds: how far back to read where the state says nothing of a partition. */
  readonly window: number
  /** Records: the same, of all these partitions together; the newest count. */
  readonly entries: number
  readonly logger: Log
  /**
   * Nothing of this pipeline is on its way to the log. Where the log ends where the state does, it need not be read then: to
   * prove that nothing comes behind its end takes half a second.
   */
  readonly quiet: boolean
  /** Events are recognised by something else than before: what is known of them has to be learned again. */
  readonly relearn: boolean
  /** The identity of an event by its digest and id. */
  identityOf(digest: string, id: string): string
  /** Called for every record that is to be remembered, or owed: the log does not say that it has been acknowledged. */
  visit(record: LoggedRecord, what: Needed): void
  /** So many partitions have another log than before: what was known of them has been forgotten. */
  replaced(partitions: number): void
  readonly signal: AbortSignal
}

/** What a record is read for. */
export interface Needed {
  readonly remembered: boolean
  readonly owed: boolean
}

/** How a read-back is going; shown by /ready. */
export interface Progress {
  read: number
  total: number
  problem: string | undefined
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 5000

/**
 * Makes the state know all that the log holds: from its checkpoints to the end of each partition, or, where it has none,
 * from what is not acknowledged or from the start of the redelivery window, whichever is earlier. Tries until it succeeds
 * or `signal` is aborted. `fence` first gives up all that was sent and not confirmed, so that it cannot turn up later.
 */
export async function readBack(options: ReadBackOptions, progress: Progress, fence: boolean): Promise<void> {
  for (let delay = FIRST_RETRY_MS; !options.signal.aborted; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
    try {
      if (fence) await options.log().fence()
      await readOnce(options, progress)
      progress.problem = undefined
      return
    } catch (thrown) {
      // A log that is closed at a stop is no problem of the log.
      if (options.signal.aborted) return
      const { code, message } = asHeadgateError(thrown, 'The read-back')
      if (progress.problem !== message)
        options.logger.warn(
          { code },
          `no events are taken until the ledger has been read back from Kafka; trying again: ${message}`,
        )
      progress.problem = message
      await wait(delay, undefined, { signal: options.signal, ref: false }).catch(() => undefined)
    }
  }
}

/** The same, once, for the partitions that the state knows nothing of. Rejects where it does not succeed. */
export async function readUnknown(options: ReadBackOptions): Promise<void> {
  const unknown = (await options.log().partitions()).filter(
    ({ topic, partition }) => options.state.checkpoint(topic, partition) === undefined,
  )
  if (unknown.length > 0) await readPartitions(unknown, options, newProgress())
}

/**
 * A log that ends before what is known of it is another one, of another cluster: what is owed and remembered here would
 * be mixed up with records there that have the same offsets. Rejects then.
 */
export async function requireSameLog(log: RecordLog, state: PipelineState): Promise<void> {
  const name = ({ topic, partition }: LogPartition) => `partition ${partition} of topic "${topic}"`
  const behind = (await log.partitions()).flatMap((at) => {
    const known = state.checkpoint(at.topic, at.partition) ?? 0
    return known > at.end ? [{ name: name(at), known }] : []
  })
  const other = otherTopic(state.log.topics(), await log.identify?.(state.log.topics()), state)
  if (other !== undefined)
    throw new HeadgateError('HG_RELOAD_RESTART', `The sink has another topic "${other}" than before.`)
  if (behind.length === 0) return
  // What is known grows while we ask: only an end that is still before it a second time is one of another log.
  const ends = new Map((await log.partitions()).map((at) => [name(at), at.end]))
  const short = behind.find((at) => (ends.get(at.name) ?? 0) < at.known)
  if (short === undefined) return
  throw new HeadgateError(
    'HG_RELOAD_RESTART',
    `The sink has another log: ${short.name} ends at ${ends.get(short.name)}, and is known here up to ${short.known}.`,
  )
}

export const newProgress = (): Progress => ({ read: 0, total: 0, problem: undefined })

async function readOnce(options: ReadBackOptions, progress: Progress): Promise<void> {
  const { state } = options
  const log = options.log()
  // Under the config of before, others may have been written to, with reports that never came.
  let partitions = await log.partitions(state.acknowledgedUpTo())
  const replaced = await forgetReplaced(log, partitions, options)
  if (replaced > 0) {
    options.replaced(replaced)
    partitions = await log.partitions(state.acknowledgedUpTo())
  }
  await readPartitions(partitions, options, progress)
}

async function readPartitions(
  partitions: readonly LogPartition[],
  options: ReadBackOptions,
  progress: Progress,
): Promise<void> {
  const { state, logger } = options
  const log = options.log()
  await adoptTopics(log, partitions, state)
  const since = await rememberedSince(partitions, options)
  const starts = partitions.map(({ topic, partition, committed }, at): Position => {
    const { offset, checkpoint } = since[at] as Since
    return {
      topic,
      partition,
      offset: checkpoint !== undefined ? offset : Math.min(offset, committed ?? offset),
    }
  })
  progress.read = 0
  progress.total = partitions.reduce(
    (sum, { end }, at) => sum + Math.max(0, end - (starts[at]?.offset ?? end)),
    0,
  )
  if (progress.total > 0) logger.info({ records: progress.total }, 'reading back')

  const places = new Map(
    partitions.map(({ topic, partition, end, committed = 0 }, at) => {
      // Beyond the end, it was committed for another log.
      const acknowledged = committed > end ? 0 : committed
      const { offset, checkpoint } = since[at] as Since
      const place: Place = {
        reached: undefined,
        committed: Math.max(checkpoint ?? 0, acknowledged),
        since: offset,
      }
      return [`${topic} ${partition}`, place] as const
    }),
  )
  const visit = (record: LoggedRecord): void => {
    const place = places.get(`${record.topic} ${record.partition}`)
    if (place === undefined) return
    progress.read++
    const remembered = record.offset >= place.since
    const owed = record.offset >= place.committed
    if (remembered || owed) options.visit(record, { remembered, owed })
    // Not before: where the visit fails, the record is to be met again.
    place.reached = record.offset + 1
  }
  const advance = (upTo: (at: LogPartition, reached: number | undefined) => number | undefined): void => {
    for (const at of partitions) {
      const offset = upTo(at, places.get(`${at.topic} ${at.partition}`)?.reached)
      if (offset !== undefined && offset > (state.checkpoint(at.topic, at.partition) ?? -1))
        state.advance(state.keyOf({ ...at, offset }))
    }
  }
  try {
    if (progress.total > 0 || !options.quiet) await log.read(starts, visit)
  } catch (thrown) {
    // The next attempt goes on from here: one that began anew each time might never come to an end.
    advance((_, reached) => reached)
    throw thrown
  }
  await requireUnreplaced(log, partitions, state)
  advance(({ end }, reached = 0) => Math.max(end, reached))
  if (progress.read > 0) logger.info({ records: progress.read }, 'read back')
}

/** A partition while it is read. */
interface Place {
  /** What is before is known, as of the last record that was visited. */
  reached: number | undefined
  readonly committed: number
  readonly since: number
}

interface Since {
  readonly offset: number
  /** The state knows everything before that, and what is owed for it. */
  readonly checkpoint: number | undefined
}

/** From where on records are to be remembered. */
async function rememberedSince(
  partitions: readonly LogPartition[],
  { state, log, window, entries, relearn }: ReadBackOptions,
): Promise<Since[]> {
  const checkpoints = partitions.map(({ topic, partition, end }) => {
    const checkpoint = state.checkpoint(topic, partition)
    // An end that is still too low after several looks was forgotten; here a leader of the past may tell it.
    return checkpoint !== undefined && checkpoint <= end ? checkpoint : undefined
  })
  // Of what is empty, nobody need be asked.
  const unknown = partitions.filter(
    ({ start, end }, at) => (checkpoints[at] === undefined || relearn) && end > start,
  )
  const found = unknown.length === 0 ? [] : await newest(unknown, log(), window, entries)
  return partitions.map((each, at) => {
    const checkpoint = checkpoints[at]
    if (checkpoint !== undefined && !relearn) return { offset: checkpoint, checkpoint }
    return { offset: found[unknown.indexOf(each)] ?? each.start, checkpoint }
  })
}

/**
 * Where the newest `entries` records of all these partitions begin, or those of the last `window` milliseconds where these
 * are fewer. By time and over all of them: each partition by itself would be read up to the same number, and what is
 * new in one would be forgotten for what is old in another.
 */
async function newest(
  partitions: readonly LogPartition[],
  log: RecordLog,
  window: number,
  entries: number,
): Promise<number[]> {
  const offsetsAt = async (time: number): Promise<number[]> => {
    const positions = await log.offsetsAt(time)
    return partitions.map(({ topic, partition, start }) => {
      const position = positions.find((each) => each.topic === topic && each.partition === partition)
      return Math.max(position?.offset ?? start, start)
    })
  }
  const count = (offsets: readonly number[]): number =>
    partitions.reduce((sum, { end }, at) => sum + Math.max(0, end - (offsets[at] ?? end)), 0)

  let [from, to] = [Date.now() - window, Date.now()]
  let offsets = await offsetsAt(from)
  if (count(offsets) <= entries) return offsets
  offsets = partitions.map(({ end }) => end)
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    const at = await offsetsAt(middle)
    if (count(at) > entries) from = middle
    else {
      to = middle
      offsets = at
      if (count(at) > entries * CLOSE_ENOUGH) break
    }
  }
  return offsets
}

/** So much of what may be remembered need not be had to the last record. */
const CLOSE_ENOUGH = 0.95
