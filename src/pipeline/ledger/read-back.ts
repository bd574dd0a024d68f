import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError } from '../../errors.js'
import type { Log, LoggedRecord, LogPartition, Position, RecordLog } from '../../plugin.js'
import type { PipelineState } from './pipeline-state.js'

export interface ReadBackOptions {
  readonly log: RecordLog
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
      if (fence) await options.log.fence()
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

async function readOnce(options: ReadBackOptions, progress: Progress): Promise<void> {
  const { log, state, logger } = options
  const partitions = await log.partitions()
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
    state.advance({ topic, partition, offset: reached.get(`${topic} ${partition}`) ?? 0 })
  }
  if (progress.read > 0) logger.info({ records: progress.read }, 'read back')
}

async function startsOf(partitions: readonly LogPartition[], options: ReadBackOptions): Promise<Position[]> {
  const { log, state, window, entries } = options
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
