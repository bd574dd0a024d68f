import type { Log, LoggedRecord, LogPartition, RecordLog } from '../contract/index.js'
import { adoptTopics, forgetReplaced, requireUnreplaced } from './replaced-log.js'
import type { LedgerStore } from './store.js'

export interface CatchUpOptions {
  /** The present log: a reload can change it between two attempts. */
  log(): RecordLog
  readonly store: LedgerStore
  /** Milliseconds to go back in a partition that has no checkpoint. */
  readonly window: number
  /** Records to go back at most, in all such partitions together; the newest count. */
  readonly entries: number
  readonly logger: Log
  /**
   * No record of this pipeline is in flight. If the log ends at the checkpoint, it need not be read then: a proof that
   * nothing comes after its end takes half a second.
   */
  readonly quiet: boolean
  /** Events are identified by another setting than before: the index has to be filled again. */
  readonly reindex: boolean
  /** The identity of an event by its digest and id. */
  identityOf(digest: string, id: string): string
  /** Called for every record that the state needs. */
  visit(record: LoggedRecord, use: RecordUse): void
  /** So many partitions have another log than before: their events were dropped. */
  onReplaced(partitions: number): void
  readonly signal: AbortSignal
}

/** The parts of the state that need a record. */
export interface RecordUse {
  /** It is within the redelivery window, and belongs in the index. */
  readonly index: boolean
  /** The log does not tell that it was acknowledged. */
  readonly pending: boolean
}

/** Progress of a recovery; shown by /ready. */
export interface Progress {
  read: number
  total: number
  problem: string | undefined
}

export const newProgress = (): Progress => ({ read: 0, total: 0, problem: undefined })

/**
 * Brings the state up to the end of the log: reads each partition from its checkpoint, or, if it has none, from the first
 * record that is not acknowledged or from the start of the redelivery window, whichever is earlier. `asked`: its partitions, of
 * this moment.
 */
export async function catchUp(
  options: CatchUpOptions,
  progress: Progress,
  asked = askPartitions(options),
): Promise<void> {
  const log = options.log()
  let partitions = await asked
  const replaced = await forgetReplaced(log, partitions, options)
  if (replaced > 0) {
    options.onReplaced(replaced)
    partitions = await askPartitions(options)
  }
  await readPartitions(partitions, options, progress)
}

/** The previous config may have had other targets, and the process may have ended before their delivery reports. */
export const askPartitions = ({
  log,
  store,
}: Pick<CatchUpOptions, 'log' | 'store'>): Promise<readonly LogPartition[]> =>
  log().partitions(store.acknowledgedUpTo())

/** The same for the partitions without a checkpoint only. */
export async function catchUpNewPartitions(options: CatchUpOptions): Promise<void> {
  const partitions = (await options.log().partitions()).filter(
    ({ topic, partition }) => options.store.checkpoint(topic, partition) === undefined,
  )
  if (partitions.length > 0) await readPartitions(partitions, options, newProgress())
}

/** A partition that is being read. All are offsets. */
interface Cursor {
  readonly partition: LogPartition
  /** Reading starts here. */
  readonly start: number
  /** Records from here on belong in the index. */
  readonly indexFrom: number
  /** Records from here on may not be acknowledged. */
  readonly pendingFrom: number
  /** The state has all records before; undefined before the first. */
  reached: number | undefined
}

async function readPartitions(
  partitions: readonly LogPartition[],
  options: CatchUpOptions,
  progress: Progress,
): Promise<void> {
  const { store, logger } = options
  const log = options.log()
  await adoptTopics(log, partitions, store)
  const cursors = await cursorsOf(partitions, options)
  progress.read = 0
  progress.total = cursors.reduce((sum, { partition, start }) => sum + Math.max(0, partition.end - start), 0)
  if (progress.total > 0) logger.info({ records: progress.total }, 'catching up with Kafka')
  try {
    if (progress.total > 0 || !options.quiet) await readRecords(log, cursors, options, progress)
  } catch (thrown) {
    // The next attempt continues from here: one that started over each time might never reach the end.
    for (const cursor of cursors) advance(cursor, cursor.reached, store)
    throw thrown
  }
  await requireUnreplaced(log, partitions, store)
  for (const cursor of cursors) advance(cursor, Math.max(cursor.partition.end, cursor.reached ?? 0), store)
  if (progress.read > 0) logger.info({ records: progress.read }, 'caught up with Kafka')
}

function readRecords(
  log: RecordLog,
  cursors: readonly Cursor[],
  options: CatchUpOptions,
  progress: Progress,
): Promise<void> {
  const byName = new Map(cursors.map((cursor) => [nameOf(cursor.partition), cursor]))
  const starts = cursors.map(({ partition: { topic, partition }, start }) => ({
    topic,
    partition,
    offset: start,
  }))
  return log.read(starts, (record) => {
    const cursor = byName.get(nameOf(record))
    if (cursor === undefined) return
    progress.read++
    const index = record.offset >= cursor.indexFrom
    const pending = record.offset >= cursor.pendingFrom
    if (index || pending) options.visit(record, { index, pending })
    // After the visit: if it fails, the record has to be read again.
    cursor.reached = record.offset + 1
  })
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic} ${partition}`

function advance({ partition }: Cursor, offset: number | undefined, store: LedgerStore): void {
  const { topic, partition: number } = partition
  if (offset !== undefined && offset > (store.checkpoint(topic, number) ?? -1))
    store.advance(store.keyOf({ topic, partition: number, offset }))
}

async function cursorsOf(partitions: readonly LogPartition[], options: CatchUpOptions): Promise<Cursor[]> {
  const { store, reindex } = options
  const checkpoints = partitions.map(({ topic, partition, end }) => {
    const checkpoint = store.checkpoint(topic, partition)
    // A partition that ends too early after several looks was dropped; here a former leader may have reported the end.
    return checkpoint !== undefined && checkpoint <= end ? checkpoint : undefined
  })
  // A partition that is empty needs no look-up.
  const unindexed = partitions.filter(
    ({ start, end }, at) => (checkpoints[at] === undefined || reindex) && end > start,
  )
  const newest = unindexed.length === 0 ? [] : await newestRecords(unindexed, options)
  return partitions.map((partition, at): Cursor => {
    const { start, end, committed } = partition
    const checkpoint = checkpoints[at]
    const indexFrom =
      checkpoint !== undefined && !reindex ? checkpoint : (newest[unindexed.indexOf(partition)] ?? start)
    // A position behind the end was committed for another log.
    const acknowledged = committed === undefined || committed > end ? 0 : committed
    return {
      partition,
      start: checkpoint !== undefined ? indexFrom : Math.min(indexFrom, committed ?? indexFrom),
      indexFrom,
      pendingFrom: Math.max(checkpoint ?? 0, acknowledged),
      reached: undefined,
    }
  })
}

/** A time before every record, in milliseconds since the epoch. */
const EVER = 1

/** The search ends when it has found this share of the entries that the index may have. */
const CLOSE_ENOUGH = 0.95

/**
 * The offsets at which the newest `entries` records of all these partitions begin, or those of the last `window` milliseconds
 * if these are fewer. The search goes by time and over all partitions: with the same number of records from each, new ones of
 * one partition would be dropped for old ones of another.
 */
export async function newestRecords(
  partitions: readonly LogPartition[],
  { log, window, entries }: Pick<CatchUpOptions, 'log' | 'window' | 'entries'>,
): Promise<number[]> {
  const present = log()
  const offsetsAt = async (time: number): Promise<number[]> => {
    const positions = await present.offsetsAt(time)
    return partitions.map(({ topic, partition, start }) => {
      const position = positions.find((each) => each.topic === topic && each.partition === partition)
      return Math.max(position?.offset ?? start, start)
    })
  }
  const count = (offsets: readonly number[]): number =>
    partitions.reduce((sum, { end }, at) => sum + Math.max(0, end - (offsets[at] ?? end)), 0)

  let [from, to] = [Date.now() - window, Date.now()]
  let offsets = await offsetsAt(from)
  // Some brokers cannot search by time and name the end, such as the one that is embedded in the sandbox.
  if (count(offsets) === 0 && count(await offsetsAt(EVER)) === 0)
    return partitions.map(({ start, end }) => Math.max(start, end - entries))
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
