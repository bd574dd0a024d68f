import { expect, test } from 'vitest'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { INBOX, MemoryInbox } from '../helpers/kafka/memory-inbox.js'
import { decided, Instance } from './instance.js'

const textsOf = ({ written }: MemoryInbox) => written.map(({ value }) => JSON.parse(value.toString()).id)

test('a restore that ends after its partition was lost and came back has no effect', async () => {
  const inbox = new MemoryInbox(1)
  const accept = (id: string) => inbox.accept(toInboxRecord(INBOX, decided(id, 'x')))
  const slow = new Instance(inbox)
  // It is assigned the partition, and asks for its state, which is that before the event.
  slow.member.hold()
  await slow.step()
  inbox.expire(slow.member)
  const other = new Instance(inbox)
  accept('a')
  await other.step()
  await other.step()
  expect(textsOf(inbox)).toEqual(['a'])
  await other.member.leave()
  await slow.step()
  await slow.step()
  // The response to the second question comes first.
  slow.member.release()
  accept('a')
  accept('b')
  for (let step = 0; step < 3; step++) await slow.step()
  expect(textsOf(inbox)).toEqual(['a', 'b'])
  await slow.commitAcknowledged()
  expect(inbox.acknowledged.get(0)).toBe(0)
})

test('lag and age of the oldest event are known as long as pending acknowledgements hold the rest up', async () => {
  const inbox = new MemoryInbox(1)
  const accept = (id: string) => inbox.accept(toInboxRecord(INBOX, decided(id, 'x')))
  const instance = new Instance(inbox)
  const { assignment } = instance
  await instance.step()
  for (const id of ['a', 'b', 'c', 'd']) accept(id)
  await instance.step()
  expect(textsOf(inbox)).toEqual(['a', 'b', 'c', 'd'])
  expect([assignment.lag, assignment.oldestAt]).toEqual([0, undefined])

  const heldAt = Date.now()
  await instance.step()
  for (const id of ['e', 'f']) accept(id)
  await instance.step()
  await assignment.measure()
  expect(assignment.lag).toBe(2)
  expect(assignment.oldestAt).toBeGreaterThanOrEqual(heldAt)
  expect(assignment.oldestAt).toBeLessThanOrEqual(Date.now())

  for (let pending = 0; pending < 4; pending++) instance.acknowledge(() => {})
  for (let step = 0; step < 2; step++) await instance.step()
  expect(textsOf(inbox)).toHaveLength(6)
  expect([assignment.lag, assignment.oldestAt]).toEqual([0, undefined])
})
