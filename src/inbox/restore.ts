import type { InboxBounds, InboxMember, LoggedRecord } from '../contract/index.js'
import { type DedupBy, identityOf } from '../ledger/identity.js'
import { committedOf } from '../ledger/rows.js'
import type { EarlierEvents } from './earlier-events.js'
import type { PastEvent } from './item.js'
import type { ReadAck, UnreadAcks } from './partition-acks.js'
import { type IndexLimits, PartitionIndex } from './partition-index.js'

/**
 * Milliseconds by which the clocks of two instances may differ: an event that one of them accepted may have a time before that
 * of an event which came earlier to another.
 */
const CLOCK_SKEW = 10 * 60_000

export interface RestoreOptions {
  /** As `redelivery` of the pipeline says; `entries` for all partitions together. */
  readonly limits: IndexLimits
  readonly by: DedupBy
  past(record: LoggedRecord): PastEvent | undefined
  /** Those from before the inbox; undefined if the topics are those of a source. */
  readonly earlier?: Pick<EarlierEvents, 'addTo'> | undefined
}

/** The state of a partition, as its earlier owners left it. */
export interface RestoredPartition {
  readonly index: PartitionIndex
  /** The next event to work off. */
  readonly next: number
  /** When it was accepted, if it is in the partition already. */
  readonly nextAt: number | undefined
  /** Below it, everything is acknowledged. */
  readonly acknowledged: number
}

/**
 * Reads back the events that are worked off: those within the redelivery window of the next one fill the index. The committed
 * offset is that of the last transaction, so nobody else can work off what comes behind it.
 */
export async function restorePartition(
  member: Pick<InboxMember, 'partitions' | 'bounds' | 'offsetAt' | 'read'>,
  partition: number,
  { limits, by, past, earlier }: RestoreOptions,
): Promise<RestoredPartition> {
  const bounds = await member.bounds(partition)
  const { start, committed } = bounds
  const entries = Math.ceil(limits.entries / member.partitions)
  const index = new PartitionIndex({ window: limits.window, entries })
  const acknowledged = Math.min(Math.max(bounds.acknowledged ?? start, start), committed)
  const nextAt = await timeOfNext(member, partition, bounds)
  // It may have been accepted long ago.
  const windowEnd = Math.min(Date.now(), nextAt ?? Number.POSITIVE_INFINITY)
  const since = windowEnd - limits.window - CLOCK_SKEW
  const indexFrom = Math.max(start, await member.offsetAt(partition, since), committed - entries)
  // They come first: the index drops the oldest.
  if (committed - indexFrom < entries) await earlier?.addTo(index, partition, since)
  await member.read(partition, indexFrom, committed, (record) => {
    const event = past(record)
    if (event !== undefined) index.insert(identityOf(event.digest, event.event.id, by), record.timestamp)
  })
  return { index, next: committed, nextAt, acknowledged }
}

async function timeOfNext(
  member: Pick<InboxMember, 'read'>,
  partition: number,
  { committed, end }: InboxBounds,
): Promise<number | undefined> {
  let found: number | undefined
  if (committed < end)
    await member.read(partition, committed, committed + 1, ({ timestamp }) => {
      found = timestamp
    })
  return found
}

/** The events of a part of a partition that are worked off and not acknowledged. */
export async function readUnacknowledged(
  member: Pick<InboxMember, 'read'>,
  { partition, from, to }: UnreadAcks,
  past: RestoreOptions['past'],
): Promise<ReadAck[]> {
  const acks: ReadAck[] = []
  await member.read(partition, from, to, (record) => {
    const event = past(record)
    if (event === undefined) return
    const { topic, offset, timestamp } = record
    acks.push({
      offset,
      committed: committedOf(event.event, { topic, partition, offset }),
      acceptedAt: timestamp,
    })
  })
  return acks
}
