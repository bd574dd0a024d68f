import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError, HeadgateError } from '../../errors.js'
import type { Log, LoggedRecord, LogPartition, Position, RecordLog } from '../../plugin.js'
import type { PipelineState } from './pipeline-state.js'

export interface ReadBackOptions {
  /** The log of now: a reload can change it while an attempt waits for the next. */
  log(): RecordLog
  readonly state: PipelineState
  /** Milliseconds: how far back to read where the state says nothing of a partition. */
  readonly window: number
  /** Records: the same, for a partition with very many. */
  readonly entries: number
  readonly logger: Log
  /** Called for every record. `owed` is false where the log itself says that it has been acknowledged. */
  visit(record: LoggedRecord, owed: boolean): void
  readonly signal: AbortSignal
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
      const { code, message } = asHeadgateError(thrown, 'The read-back')
      if (progress.problem !== message) options.logger.warn({ code }, `reading back is waiting: ${message}`)
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
  if (behind.length === 0) return
  // What is known grows while we ask: only an end that is still before it a second time is one of another log.
  const ends = new Map((await log.partitions()).map((at) => [name(at), at.end]))
  const other = behind.find((at) => (ends.get(at.name) ?? 0) < at.known)
  if (other === undefined) return
  throw new HeadgateError(
    'HG_RELOAD_RESTART',
    `The sink has another log: ${other.name} ends at ${ends.get(other.name)}, and is known here up to ${other.known}.`,
  )
}

export const newProgress = (): Progress => ({ read: 0, total: 0, problem: undefined })

async function readOnce(options: ReadBackOptions, progress: Progress): Promise<void> {
  // Under the config of before, others may have been written to, with reports that never came.
  const known = options.state.acknowledgedUpTo()
  await readPartitions(await options.log().partitions(known), options, progress)
}

async function readPartitions(
  partitions: readonly LogPartition[],
  options: ReadBackOptions,
  progress: Progress,
): Promise<void> {
  const { state, logger } = options
  const log = options.log()
  const starts = await startsOf(partitions, options)
  progress.read = 0
  progress.total = partitions.reduce(
    (sum, { end }, at) => sum + Math.max(0, end - (starts[at]?.offset ?? end)),
    0,
  )
  if (progress.total > 0) logger.info({ records: progress.total }, 'reading back')

  const reached = new Map(partitions.map(({ topic, partition, end }) => [`${topic} ${partition}`, end]))
  const committed = new Map(partitions.map((at) => [`${at.topic} ${at.partition}`, at.committed ?? 0]))
  await log.read(starts, (record) => {
    const name = `${record.topic} ${record.partition}`
    progress.read++
    reached.set(name, Math.max(reached.get(name) ?? 0, record.offset + 1))
    options.visit(record, record.offset >= (committed.get(name) ?? 0))
  })
  for (const { topic, partition } of partitions) {
    state.advance(state.keyOf({ topic, partition, offset: reached.get(`${topic} ${partition}`) ?? 0 }))
  }
  if (progress.read > 0) logger.info({ records: progress.read }, 'read back')
}

async function startsOf(partitions: readonly LogPartition[], options: ReadBackOptions): Promise<Position[]> {
  const { state, window, entries } = options
  const log = options.log()
  const known = partitions.map(({ topic, partition }) => state.checkpoint(topic, partition))
  const inWindow = known.includes(undefined) ? await log.offsetsAt(Date.now() - window) : []
  return partitions.map(({ topic, partition, start, end, committed }, at) => {
    const checkpoint = known[at]
    // A checkpoint beyond the end is one of a topic that was deleted and made anew.
    if (checkpoint !== undefined && checkpoint <= end) return { topic, partition, offset: checkpoint }
    const since = inWindow.find(
      (position) => position.topic === topic && position.partition === partition,
    )?.offset
    const remembered = Math.max(since ?? start, end - entries, start)
    return { topic, partition, offset: Math.min(remembered, committed ?? remembered) }
  })
}
