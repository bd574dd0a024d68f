import { once } from 'node:events'
import { asHeadgateError } from '../contract/errors.js'
import type { Log, Position, RecordLog } from '../contract/index.js'

export interface Committer {
  /** Something has been committed or acknowledged. */
  wake(): void
  /** Partitions have other logs than before: what was committed for those does not count. */
  forget(): void
  stop(): Promise<void>
}

interface CommitterOptions {
  log(): RecordLog | undefined
  readonly logger: Log
  /** Where each partition is acknowledged up to. */
  positions(): readonly Position[]
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

const EVERY_MS = 1000

/**
 * Keeps the consumer group's offsets at the lowest record that is not acknowledged, so that the backlog is ordinary lag.
 * They never go back: an acknowledgement that is made again is not owed to a state directory that was lost.
 */
export function createCommitter({ log, logger, positions, signal }: CommitterOptions): Committer {
  const committed = new Map<string, number>()
  let committedTo: RecordLog | undefined
  let timer: NodeJS.Timeout | undefined
  let busy: Promise<void> | undefined
  let failing = false
  let stopped = false

  /** What was committed before counts, too: while the log is read back, less than that is known. */
  const learn = async (present: RecordLog): Promise<void> => {
    const partitions = await present.partitions(positions())
    committed.clear()
    for (const { topic, partition, end, committed: offset } of partitions)
      if (offset !== undefined && offset <= end) committed.set(`${topic} ${partition}`, offset)
    committedTo = present
  }
  const ahead = (): readonly Position[] =>
    positions().filter(
      ({ topic, partition, offset }) => offset > (committed.get(`${topic} ${partition}`) ?? -1),
    )
  const commit = async (): Promise<void> => {
    const present = log()
    if (present === undefined || positions().length === 0) return
    try {
      if (present !== committedTo) await learn(present)
      const next = ahead()
      if (next.length === 0) return
      await present.commit(next)
      for (const { topic, partition, offset } of next) committed.set(`${topic} ${partition}`, offset)
      failing = false
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Committing')
      if (!failing) logger.warn({ code }, `the acknowledged position cannot be committed: ${message}`)
      failing = true
      if (!stopped) wake()
    }
  }
  const wake = (): void => {
    if (log() === undefined || stopped) return
    timer ??= setTimeout(() => {
      timer = undefined
      busy = (busy ?? Promise.resolve()).then(commit)
    }, EVERY_MS).unref()
  }

  return {
    wake,
    forget() {
      committedTo = undefined
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      if (!signal.aborted)
        await Promise.race([(busy ?? Promise.resolve()).then(commit), once(signal, 'abort')])
    },
  }
}
