import type { Consumer, Place } from './consumer.js'
import { logUnavailable } from './failures.js'
import type { Stretch } from './read.js'

/** Milliseconds that replicas are given to confirm what their leader has. */
const PATIENCE = 10_000

/**
 * Whether a partition has anything behind what was read of it, even records that its leader has appended and the other
 * replicas have not confirmed. Those are not below the end that a broker tells, and can become readable at any time.
 *
 * To a fetch of the offset at which it will append next, a broker answers with nothing; anything beyond is out of range.
 * It compares with what it has appended, not with what is confirmed (Apache Kafka, LocalLog.read). So we ask for the
 * offset after the next one, with a consumer that goes on at the end where there is no such offset: that it gets to an
 * end no further than where we are, proves that there is nothing.
 *
 * Rejects when the replicas do not catch up, or when `signal` is aborted.
 */
export async function hasTail(
  consumer: Consumer,
  stretches: readonly Stretch[],
  signal: AbortSignal,
): Promise<boolean> {
  const open = new Map(stretches.map((stretch) => [nameOf(stretch), stretch.next]))
  consumer.assign(stretches.map(({ topic, partition, next }) => ({ topic, partition, offset: next + 1 })))
  const deadline = performance.now() + PATIENCE
  while (open.size > 0) {
    if (signal.aborted) throw logUnavailable('Headgate is shutting down')
    if (performance.now() > deadline) {
      const names = [...open.keys()].join(', ')
      throw logUnavailable(
        `the replicas have not confirmed within ${PATIENCE / 1000} s what the leader has of ${names}`,
      )
    }
    const { messages, ends } = await consumer.consume(1)
    if (messages.length > 0) return true
    for (const end of ends) {
      if (end.offset > (open.get(nameOf(end)) ?? Number.POSITIVE_INFINITY)) return true
      open.delete(nameOf(end))
    }
  }
  return false
}

const nameOf = ({ topic, partition }: Place): string => `partition ${partition} of topic "${topic}"`
