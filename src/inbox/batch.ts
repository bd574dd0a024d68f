import type { InboxOffsets, SinkRecord } from '../contract/index.js'
import type { Item } from './item.js'
import type { OwnedPartition } from './owned-partition.js'
import type { PartitionIndex } from './partition-index.js'

/** The events of one transaction. */
export interface Batch {
  readonly entries: readonly BatchEntry[]
  /** One for each entry that writes a record. */
  readonly records: readonly SinkRecord[]
  readonly partitions: readonly OwnedPartition[]
  readonly offsets: InboxOffsets
}

export interface BatchEntry {
  readonly item: Item
  readonly partition: OwnedPartition
  /** The record of an earlier event is that of this one. */
  readonly isDuplicate: boolean
  /** The index in `records`; undefined if the event has no record. */
  readonly record: number | undefined
}

/** The next events of these partitions, at most `limit`; undefined if there are none. */
export function nextBatch(partitions: readonly OwnedPartition[], limit: number): Batch | undefined {
  const entries: BatchEntry[] = []
  const records: SinkRecord[] = []
  const offsets = new Map<number, number>()
  const inBatch: OwnedPartition[] = []
  for (const partition of partitions) {
    const items = decidedItems(partition.queue.slice(0, limit - entries.length))
    const last = items.at(-1)
    if (last === undefined) continue
    inBatch.push(partition)
    offsets.set(partition.number, last.offset + 1)
    /** All deliveries of an event are in one partition. */
    const came = new Map<string, number>()
    for (const item of items) {
      const { identity, timestamp, action } = item
      const isDuplicate = identity !== undefined && isKnown(partition.index, came, identity, timestamp)
      if (identity !== undefined && !isDuplicate) came.set(identity, timestamp)
      const written = isDuplicate || !('record' in action) ? undefined : action.record
      entries.push({ item, partition, isDuplicate, record: written && records.push(written) - 1 })
    }
  }
  return entries.length === 0 ? undefined : { entries, records, partitions: inBatch, offsets }
}

/** Those before the first that is undecided. */
function decidedItems(items: readonly Item[]): readonly Item[] {
  const end = items.findIndex(({ action }) => action.kind === 'undecided')
  return end === -1 ? items : items.slice(0, end)
}

/** `came`: events of the same batch, which the index does not have yet. */
function isKnown(
  index: PartitionIndex,
  came: ReadonlyMap<string, number>,
  identity: string,
  timestamp: number,
): boolean {
  const before = came.get(identity)
  return before === undefined ? index.has(identity, timestamp) : index.isRedelivery(before, timestamp)
}
