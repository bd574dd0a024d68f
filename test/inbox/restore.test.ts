import { expect, test } from 'vitest'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { pastEventOf } from '../../src/inbox/item.js'
import type { PartitionIndex } from '../../src/inbox/partition-index.js'
import { restorePartition } from '../../src/inbox/restore.js'
import { INBOX, MemoryInbox } from '../helpers/kafka/memory-inbox.js'
import { decided } from './instance.js'

const DAY = 24 * 3_600_000

/** Restores partition 0, and returns the partitions for which the events from before the inbox were read. */
async function restore(inbox: MemoryInbox, entries = 100) {
  const asked: number[] = []
  const addTo = async (_index: PartitionIndex, partition: number) => void asked.push(partition)
  await restorePartition(inbox.join(), 0, {
    limits: { window: DAY, entries },
    by: 'id+bytes',
    past: pastEventOf,
    earlier: { addTo },
  })
  return asked
}

const accept = (inbox: MemoryInbox, age: number, id = 'a') =>
  inbox.accept(toInboxRecord(INBOX, decided(id, 'x')), Date.now() - age)

test('an index that the inbox itself fills needs no earlier events', async () => {
  const inbox = new MemoryInbox(1)
  for (const id of ['a', 'b', 'c']) accept(inbox, 1000, id)
  inbox.committed.set(0, 3)
  expect(await restore(inbox, 3)).toEqual([])
  expect(await restore(inbox, 4)).toEqual([0])
})
