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
