import { type Consumer, END, type Place } from './consumer.js'
import { logUnavailable } from './failures.js'
import type { Stretch } from './read-back.js'

/** Milliseconds that replicas are given to confirm what their leader has. */
const PATIENCE = 10_000

/**
 * Whether a partition has anything behind what was read of it, even records that its leader has appended and the other
 * replicas have not confirmed. Those are not below the end that a broker tells, and can become readable at any time.
 *
 * To a fetch of the offset at which it will append next, a broker answers with nothing; anything beyond is out of range.
 * It compares with what it has appended, not with what is confirmed (Apache Kafka, LocalLog.read). So we ask for the
 * offset after the next one, with a consumer that stops where there is no such offset: that it does, and that the end is
 * no further than where we are, proves that there is nothing. The end is asked for afterwards, because an offset before the
 * oldest record is out of range, too.
 *
 * Rejects when the replicas do not catch up, or when `signal` is aborted.
 */
export async function hasTail(
  consumer: Consumer,
  stretches: readonly Stretch[],
  signal: AbortSignal,
): Promise<boolean> {
  consumer.assign(stretches.map(({ topic, partition, next }) => ({ topic, partition, offset: next + 1 })))
  const deadline = performance.now() + PATIENCE
  for (let outOfRange = 0; ; ) {
    if (signal.aborted) throw logUnavailable('Headgate is shutting down')
    if (performance.now() > deadline) throw unconfirmed(stretches, outOfRange)
    const batch = await consumer.consume(1)
    if (batch.messages.length > 0 || batch.ends.length > 0) return true
    if (batch.outOfRange && ++outOfRange < stretches.length) continue
    // Where nothing came, too: an end that came together with an offset out of range is not told.
    const ends = await consumer.offsets(stretches, END)
    if (stretches.some(({ next }, index) => (ends[index]?.offset ?? 0) > next)) return true
    if (outOfRange === stretches.length) return false
  }
}

function unconfirmed(stretches: readonly Stretch[], outOfRange: number): Error {
  const which = outOfRange === 0 ? '' : `${stretches.length - outOfRange} of these: `
  return logUnavailable(
    `the replicas have not confirmed within ${PATIENCE / 1000} s what the leader has of ${which}${stretches.map(nameOf).join(', ')}`,
  )
}

const nameOf = ({ topic, partition }: Place): string => `partition ${partition} of topic "${topic}"`
