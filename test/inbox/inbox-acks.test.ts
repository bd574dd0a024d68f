import { expect, test } from 'vitest'
import { InboxAcks } from '../../src/inbox/inbox-acks.js'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { INBOX, MemoryInbox } from '../helpers/kafka/memory-inbox.js'
import { decided, Instance } from './instance.js'

const MOST = 100

const acksOf = (stages = 1) =>
  new InboxAcks({
    stages,
    clock: { now: () => 0, at: () => 0 },
    keep: async () => ({ topic: 'dead', partition: 0, offset: 0 }),
    mostInMemory: MOST,
  })

const committedAt = (offset: number) => ({
  id: `event-${offset}`,
  receipt: { topic: INBOX, partition: 0, offset },
})

const takeAll = (acks: InboxAcks) => {
  const taken = []
  for (let ack = acks.take(0, 0); ack !== undefined; ack = acks.take(0, 0)) taken.push(ack)
  return taken
}

test('a takeover of many unacknowledged events has few of them in memory, and acknowledges all', async () => {
  const inbox = new MemoryInbox(2)
  const count = 2000
  for (let n = 0; n < count; n++) inbox.accept(toInboxRecord(INBOX, decided(`event-${n}`, 'x')))
  for (const [partition, { length }] of inbox.partitions.entries()) inbox.committed.set(partition, length)
  const instance = new Instance(inbox, { mostInMemory: MOST })
  const made = new Set<string>()
  for (let round = 0; round < 2 * count && made.size < count; round++) {
    await instance.step()
    const taken = takeAll(instance.acks)
    expect(taken.length).toBeLessThanOrEqual(MOST)
    for (const ack of taken) {
      const { partition, offset } = ack.committed.receipt ?? {}
      expect(made).not.toContain(`${partition} ${offset}`)
      made.add(`${partition} ${offset}`)
      instance.acks.acknowledged(ack)
    }
    expect(instance.acks.count).toBe(count - made.size)
  }
  expect(made.size).toBe(count)
  expect([...instance.acks.positions()]).toEqual([...inbox.committed])
})

test('events that are worked off while a part is read are in memory, behind it', () => {
  const acks = acksOf()
  acks.own(0, 10, 13)
  const part = acks.unread()
  expect(part).toMatchObject({ partition: 0, from: 10, to: 13 })
  acks.add(0, 13, committedAt(13))
  expect(acks.count).toBe(4)
  expect(acks.positions()).toEqual(new Map([[0, 10]]))
  // The record at 11 cannot be read, and is a dead letter.
  const read = [10, 12].map((offset) => ({ offset, committed: committedAt(offset), acceptedAt: 0 }))
  if (part !== undefined) acks.read(part, read)
  expect(acks.unread()).toBeUndefined()
  expect(acks.count).toBe(3)
  const taken = new Map(takeAll(acks).map((ack) => [ack.committed.receipt?.offset, ack]))
  const positions = [10, 12, 13].map((offset) => {
    const [position] = acks.positions().values()
    const ack = taken.get(offset)
    if (ack !== undefined) acks.acknowledged(ack)
    return position
  })
  expect(positions).toEqual([10, 12, 13])
  expect(acks.positions()).toEqual(new Map([[0, 14]]))
})

test('a part that comes after its partition was revoked and came back has no effect', () => {
  const acks = acksOf()
  acks.own(0, 0, 10)
  const part = acks.unread()
  acks.disown(0)
  acks.own(0, 5, 10)
  if (part !== undefined) acks.read(part, [{ offset: 0, committed: committedAt(0), acceptedAt: 0 }])
  expect(takeAll(acks)).toEqual([])
  expect(acks.positions()).toEqual(new Map([[0, 5]]))
})

test('without post-commit stages, nothing is pending or read', () => {
  const acks = acksOf(0)
  acks.own(0, 0, 10)
  expect(acks.count).toBe(0)
  expect(acks.unread()).toBeUndefined()
  expect(acks.positions()).toEqual(new Map([[0, 10]]))
})
