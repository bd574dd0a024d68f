import { expect, test } from 'vitest'
import type { FormerTopics, LoggedRecord, UnfinishedTopic } from '../../src/contract/index.js'
import { beginInbox } from '../../src/inbox/beginning.js'
import { digestOf } from '../../src/ledger/identity.js'
import { testContext } from '../helpers/context.js'
import { MAC, type MemoryLog, memoryLog } from '../helpers/kafka/memory-log.js'

const digest = digestOf(Buffer.from('{}'))
const optionsOf = (log: MemoryLog, { stages = 1, logger = testContext().log } = {}) => ({
  ...{ pipeline: 'orders', topic: 'inbox', mac: MAC, stages, log, logger },
  window: 60_000,
  entries: 100,
})
const begin = (log: MemoryLog, status: Status = 'new', stages = 1) =>
  beginInbox(inboxThatIs(status), optionsOf(log, { stages }))

type Status = 'new' | 'begun' | 'others'

/** With these statuses, one after the other. */
function inboxThatIs(...statuses: Status[]) {
  const inbox = {
    reused: 0,
    status: async () => (statuses.length > 1 ? statuses.shift() : statuses[0]) as Status,
    async reuse() {
      inbox.reused++
    },
  }
  return inbox
}

test('records above the position of the group are acknowledgements that are pending', async () => {
  const kafka = memoryLog()
  for (const id of ['a', 'b', 'c']) kafka.append(id, digest)
  kafka.committed = 1
  await expect(begin(kafka)).rejects.toMatchObject({
    code: 'HG_INBOX_BEFORE',
    message: expect.stringContaining(
      '2 events from before the inbox are not acknowledged; the first is at offset 1 of partition 0 of topic "events"',
    ),
  })
  expect(kafka.committed).toBe(1)
})

test('without a position, every record within the window may be unacknowledged', async () => {
  const kafka = memoryLog()
  kafka.append('a', digest)
  await expect(begin(kafka)).rejects.toThrow('1 events from before')
})

test('the position moves behind all records from before the inbox, those of others included', async () => {
  const kafka = memoryLog()
  kafka.append('a', digest, 'invoices')
  kafka.append('b', digest, 'orders', { 'headgate-mac': 'AAAAAAAAAAAAAAAAAAAAAA' })
  await begin(kafka)
  expect(kafka.committed).toBe(2)
  kafka.append('c', digest)
  await begin(kafka, 'new', 0)
  expect(kafka.committed).toBe(3)
})

test('once instances work an inbox off, nothing is read or committed', async () => {
  const kafka = memoryLog()
  kafka.append('a', digest)
  await begin(kafka, 'begun')
  expect(kafka.committed).toBeUndefined()
})

test('of two first instances, one finds that the other has joined the group already', async () => {
  const kafka = memoryLog()
  kafka.commit = () => Promise.reject(new Error('The group has members.'))
  const options = optionsOf(kafka)
  await beginInbox(inboxThatIs('new', 'begun'), options)
  await expect(beginInbox(inboxThatIs('new'), options)).rejects.toThrow('The group has members.')
})

test('an instance without an inbox has to end first', async () => {
  await expect(begin(memoryLog(), 'others')).rejects.toMatchObject({
    code: 'HG_INBOX_BEFORE',
    message: expect.stringContaining('An instance without an inbox runs this pipeline'),
  })
})

/** A pipeline that had another inbox until now, and three records of its transactions in the target. */
function afterAnother(state: Partial<FormerTopics> = {}) {
  const kafka = memoryLog()
  for (const id of ['a', 'b', 'c']) kafka.append(id, digest)
  const asked: string[] = []
  const former = {
    topics: ['old-inbox'],
    isLeft: false,
    owners: [],
    unfinished: [],
    async leave(positions) {
      former.isLeft = true
      await kafka.commit(positions)
    },
    ...state,
  } satisfies FormerTopics as FormerTopics & { isLeft: boolean }
  kafka.formerTopics = async (present) => {
    asked.push(...present)
    return former
  }
  return { kafka, former, asked }
}

const unfinished = (left: Partial<UnfinishedTopic>, header?: string): UnfinishedTopic => ({
  ...{ topic: 'old-inbox', notWorkedOff: 0, notAcknowledged: 0, ...left },
  next: async () => ({ header: () => header }) as Partial<LoggedRecord> as LoggedRecord,
})

test('while something is left in another inbox, or an instance runs with it, nothing begins', async () => {
  const cases: [Partial<FormerTopics>, string][] = [
    [
      { unfinished: [unfinished({ notWorkedOff: 3 }, '{}')] },
      '3 events of "old-inbox" are not worked off, and 0 are not acknowledged',
    ],
    [
      { unfinished: [unfinished({ notAcknowledged: 2 })] },
      '0 events of "old-inbox" are not worked off, and 2 are not acknowledged',
    ],
    [{ owners: ['host/7'] }, 'host/7 runs it with "old-inbox". Stop every such instance first'],
  ]
  for (const [state, reason] of cases) {
    const { kafka, former } = afterAnother(state)
    // Without a stage after the commit, there are events that are not worked off all the same.
    for (const stages of [0, 1])
      await expect(begin(kafka, 'new', stages)).rejects.toMatchObject({
        code: 'HG_INBOX_BEFORE',
        message: expect.stringContaining(`cannot go on with "inbox" yet: ${reason}`),
      })
    expect([kafka.committed, former.isLeft]).toEqual([undefined, false])
  }
})

test('another inbox is left when nothing is left in it, and the records that it wrote are not pending', async () => {
  const { kafka, former, asked } = afterAnother()
  await begin(kafka)
  expect([kafka.committed, former.isLeft, asked]).toEqual([3, true, ['inbox']])
})

test('records that others wrote to a former topic of the source hold nothing up, and their number is a warning', async () => {
  const { kafka, former } = afterAnother({ unfinished: [unfinished({ topic: 'orders', notWorkedOff: 4 })] })
  const { log: logger, lines } = testContext()
  await beginInbox(inboxThatIs('new'), optionsOf(kafka, { logger }))
  expect(former.isLeft).toBe(true)
  expect(lines).toMatchObject([{ level: 'warn', fields: { topic: 'orders', records: 4 } }])
})

test('records from the time after another inbox was left can be pending', async () => {
  const { kafka } = afterAnother({ isLeft: true })
  kafka.committed = 1
  await expect(begin(kafka)).rejects.toThrow('2 events from before the inbox are not acknowledged')
})

test('another first instance that is in the group already has made the same checks', async () => {
  const { kafka } = afterAnother({ owners: ['host/7'] })
  await beginInbox(inboxThatIs('new', 'begun'), optionsOf(kafka))
  expect(kafka.committed).toBeUndefined()
})

test('an instance that begins, and no other, notes that the inbox is in use again', async () => {
  const [beginning, second, refused] = [inboxThatIs('new'), inboxThatIs('begun'), inboxThatIs('others')]
  await beginInbox(beginning, optionsOf(memoryLog()))
  await beginInbox(second, optionsOf(memoryLog()))
  await expect(beginInbox(refused, optionsOf(memoryLog()))).rejects.toThrow('An instance without an inbox')
  expect([beginning.reused, second.reused, refused.reused]).toEqual([1, 0, 0])
})
