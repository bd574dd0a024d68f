import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Inbox } from '../../src/contract/index.js'
import type { FailedAckStore, KeptAck } from '../../src/inbox/failed-ack-store.js'
import { InboxLedger } from '../../src/inbox/inbox-ledger.js'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { itemOf, pastEventOf } from '../../src/inbox/item.js'
import type { PipelineInbox } from '../../src/inbox/pipeline-inbox.js'
import { digestOf } from '../../src/ledger/identity.js'
import type { StoredAck } from '../../src/ledger/rows.js'
import { testContext } from '../helpers/context.js'
import { INBOX, MemoryInbox, RETENTION } from '../helpers/kafka/memory-inbox.js'
import { MAC } from '../helpers/kafka/memory-log.js'

const recordOf = (id: string, attempt = 1) => {
  const bytes = Buffer.from(`{"id":"${id}","attempt":${attempt}}`)
  const event = { id, receivedAt: 0, body: { bytes, value: {}, slice: () => undefined } }
  const record = { target: { topic: 'events' }, key: null, value: bytes, headers: [] }
  return toInboxRecord(INBOX, { event, digest: digestOf(bytes), verdict: { kind: 'send', record } })
}

function ledgerOf(
  inbox: Inbox,
  failedAcks: Partial<FailedAckStore> = {},
  onTransaction: (milliseconds: number) => void = () => {},
) {
  const { log, lines } = testContext()
  const ledger = new InboxLedger({
    log: undefined,
    mac: MAC,
    by: 'id+bytes',
    window: 60_000,
    entries: 1000,
    maxPending: 100,
    stages: 1,
    inbox,
    pipeline: 'orders',
    topic: INBOX,
    current: () =>
      ({
        failedAcks: { ...NO_FAILED_ACKS, ...failedAcks },
        workedOff() {},
        past: pastEventOf,
        read: (record, by) =>
          itemOf(record, by, () => ({
            target: { topic: 'dead' },
            key: null,
            value: record.value,
            headers: [],
          })),
      }) as Partial<PipelineInbox> as PipelineInbox,
    observer: { assigned() {}, revoked() {}, transaction: (_, milliseconds) => onTransaction(milliseconds) },
    onJoined() {},
    logger: log,
    signal: new AbortController().signal,
  })
  onTestFinished(() => ledger.stop())
  return { ledger, lines }
}

const NO_FAILED_ACKS: FailedAckStore = {
  keep: async () => KEPT,
  open: async () => [],
  stillOpen: async (positions) => positions,
  acknowledged: async () => {},
}
const KEPT = { topic: 'dead', partition: 0, offset: 0 }

const inMemory = (partitions = 1) => {
  const inbox = new MemoryInbox(partitions)
  inbox.isPaced = true
  return { inbox, offered: inbox.offered }
}

test('what is in the inbox is worked off, and its acknowledgements are pending with the place in the inbox', async () => {
  const { inbox, offered } = inMemory()
  inbox.accept(recordOf('a'))
  const { ledger } = ledgerOf(offered)
  await ledger.start()
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(1))
  const pending = ledger.take(0, ledger.now())
  expect(pending?.committed).toEqual({ id: 'a', receipt: { topic: INBOX, partition: 0, offset: 0 } })
  expect(ledger.partitions()).toEqual([{ topic: INBOX, partition: 0, known: 1, acknowledged: 0 }])
})

test.for([
  { name: 'events that come within a moment share a transaction', each: 1, shortest: 20 },
  { name: 'more events share a transaction where there are many', each: 60, shortest: 40 },
])('$name', async ({ each, shortest }) => {
  const { inbox, offered } = inMemory()
  const begun: number[] = []
  const { ledger } = ledgerOf(offered, {}, (milliseconds) => begun.push(performance.now() - milliseconds))
  await ledger.start()
  for (let count = 0; begun.length < 5; count++) {
    for (let n = 0; n < each; n++) inbox.accept(recordOf(`event-${count}-${n}`))
    await new Promise((resolve) => setImmediate(resolve))
    for (let pending = ledger.take(0, ledger.now()); pending; pending = ledger.take(0, ledger.now()))
      ledger.acknowledged(pending)
  }
  // A timer of Node.js may be early by a millisecond. The first transaction may have fewer events.
  for (const [index, time] of begun.slice(2).entries())
    expect(time - (begun[index + 1] as number)).toBeGreaterThan(shortest - 2)
})

test('an inbox without events is polled at intervals, and still worked off', async () => {
  const { inbox, offered } = inMemory()
  const polls: number[] = []
  const join = async () => {
    const member = await offered.join()
    const poll = member.poll.bind(member)
    member.poll = (limit) => {
      polls.push(performance.now())
      return poll(limit)
    }
    return member
  }
  const { ledger } = ledgerOf({ ...offered, join })
  await ledger.start()
  // A timer of Node.js may be early by a millisecond.
  await vi.waitFor(
    () => expect((polls.at(-1) as number) - (polls.at(-2) as number)).toBeGreaterThan(18),
    10_000,
  )
  inbox.accept(recordOf('a'))
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(1))
})

test('events with the id of an earlier one and other bytes are counted where they are worked off', async () => {
  const { inbox, offered } = inMemory()
  for (const attempt of [1, 1, 2]) inbox.accept(recordOf('a', attempt))
  inbox.accept(recordOf('b'))
  const { ledger } = ledgerOf(offered)
  await ledger.start()
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(4))
  expect(ledger.backlog().sameIdOtherBytes).toBe(1)
})

test('its state has its part of the inbox, and for how long the inbox keeps events', async () => {
  const { inbox, offered } = inMemory(3)
  const [first, second] = [ledgerOf(offered).ledger, ledgerOf(offered).ledger]
  expect(first.state()).toMatchObject({ inUse: undefined, owned: 0, retention: undefined })
  await first.start()
  await second.start()
  await vi.waitFor(() => {
    expect([first, second].map((ledger) => ledger.state().owned)).toEqual([2, 1])
    expect([first, second].map((ledger) => ledger.state().restoring)).toEqual([0, 0])
  })
  for (const ledger of [first, second])
    expect(ledger.state()).toMatchObject({ inUse: 3, lag: 0, oldestAt: undefined, retention: RETENTION })
  expect(inbox.members).toHaveLength(2)
})

test('any instance reports all partitions, with their owners and what is left to do', async () => {
  const { inbox, offered } = inMemory(2)
  for (const id of ['a', 'b', 'c', 'd']) inbox.accept(recordOf(id), 1000)
  const { ledger } = ledgerOf(offered)
  await ledger.start()
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(4))
  inbox.join()
  const { kind, own, instances, partitions: shown } = await ledger.instances()
  expect({ kind, own, instances }).toEqual({
    kind: 'shared',
    own: ['host/0'],
    instances: ['host/0', 'host/1'],
  })
  expect(shown.map(({ topic, partition }) => [topic, partition])).toEqual([
    [INBOX, 0],
    [INBOX, 1],
  ])
  expect(shown.every(({ owner }) => owner === 'host/0')).toBe(true)
  const sum = (name: 'notWorkedOff' | 'notAcknowledged') =>
    shown.reduce((total, each) => total + each[name], 0)
  expect([sum('notWorkedOff'), sum('notAcknowledged')]).toEqual([0, 4])
})

test('a stop commits the acknowledged position, and the next owner has the acknowledgements that are left', async () => {
  const { inbox, offered } = inMemory()
  for (const id of ['a', 'b', 'c']) inbox.accept(recordOf(id))
  const first = ledgerOf(offered).ledger
  await first.start()
  await vi.waitFor(() => expect(first.backlog().count).toBe(3))
  const pending = first.take(0, first.now())
  if (pending === undefined) throw new Error('nothing is pending')
  first.acknowledged(pending)
  await first.stop()
  expect(inbox.acknowledged.get(0)).toBe(1)
  expect(inbox.members).toEqual([])

  const second = ledgerOf(offered).ledger
  await second.start()
  await vi.waitFor(() => expect(second.backlog().count).toBe(2))
  expect(inbox.written).toHaveLength(3)
})

/** A topic that every instance finds the failed acknowledgements in. */
function sharedStore() {
  const kept = new Map<number, KeptAck>()
  const store: FailedAckStore = {
    async keep({ committed }, reason) {
      const position = { ...KEPT, offset: kept.size }
      kept.set(position.offset, { position, committed, stage: 0, reason, failedAt: 5, isProven: true })
      return position
    },
    open: async () => [...kept.values()],
    stillOpen: async (positions) => positions.filter(({ offset }) => kept.has(offset)),
    acknowledged: async (positions) => {
      for (const { offset } of positions) kept.delete(offset)
    },
  }
  return { kept, store }
}

const REASON = { code: 'HG_ACK_REFUSED', message: 'The sender rejects it.' }

test('a failed acknowledgement is kept before its position is passed, and any instance lists and retries it', async () => {
  const { inbox, offered } = inMemory()
  inbox.accept(recordOf('a'))
  const { kept, store } = sharedStore()
  const { ledger } = ledgerOf(offered, store)
  await ledger.start()
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(1))
  const pending = ledger.take(0, ledger.now())
  if (pending === undefined) throw new Error('nothing is pending')
  ledger.failed(pending, REASON)
  expect([ledger.partitions()[0]?.acknowledged, kept.size]).toEqual([0, 1])
  await vi.waitFor(() => expect(ledger.partitions()[0]?.acknowledged).toBe(1))
  expect(ledger.backlog()).toMatchObject({ count: 0, failed: 1 })

  const { ledger: other } = ledgerOf(offered, store)
  await other.start()
  expect((await other.report()).failed).toEqual({
    count: 1,
    first: [
      {
        id: 'a',
        receipt: { topic: INBOX, partition: 0, offset: 0 },
        position: KEPT,
        reason: REASON,
        failedAt: 5,
      },
    ],
  })
  expect(await other.retryFailed()).toBe(1)
  expect(await other.retryFailed()).toBe(1)
  expect(other.backlog().count).toBe(1)
  const again = other.take(0, other.now())
  expect(again?.committed.id).toBe('a')
  if (again !== undefined) other.acknowledged(again)
  await other.stop()
  expect(kept.size).toBe(0)

  expect((await ledger.report()).failed.count).toBe(0)
  expect(ledger.backlog().failed).toBe(0)
})

test('a retry that fails again leaves the failed acknowledgement open, and writes no second one', async () => {
  const { kept, store } = sharedStore()
  const { ledger } = ledgerOf(inMemory().offered, store)
  await store.keep({ committed: { id: 'a' } } as StoredAck, REASON)
  await ledger.start()
  await ledger.retryFailed()
  const again = ledger.take(0, ledger.now())
  if (again === undefined) throw new Error('nothing is pending')
  ledger.failed(again, REASON)
  expect([ledger.backlog().count, kept.size]).toEqual([0, 1])
  expect(await ledger.retryFailed()).toBe(1)
})

test('a failed acknowledgement that nothing proves is listed and not retried', async () => {
  const { kept, store } = sharedStore()
  const position = await store.keep({ committed: { id: 'a' } } as StoredAck, REASON)
  kept.set(position.offset, { ...(kept.get(position.offset) as KeptAck), isProven: false })
  const { ledger } = ledgerOf(inMemory().offered, store)
  await ledger.start()
  expect((await ledger.report()).failed.count).toBe(1)
  expect(await ledger.retryFailed()).toBe(0)
})

test('while the topic for dead letters cannot be read, the report says so, with the number that is known', async () => {
  const open = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.'))
  const { ledger } = ledgerOf(inMemory().offered, { open })
  await ledger.start()
  expect((await ledger.report()).failed).toEqual({ count: 0, first: [], problem: 'Kafka is away.' })
})

test('a cluster without transactions ends the start, with the reason', async () => {
  const error = new HeadgateError('HG_INBOX_UNSUPPORTED', 'The cluster has no transactions.')
  const { ledger } = ledgerOf({ ...inMemory().offered, join: () => Promise.reject(error) })
  await expect(ledger.start()).rejects.toBe(error)
})

test('while Kafka is away the group is joined again and again, and events go on being accepted', async () => {
  const { inbox } = inMemory()
  inbox.accept(recordOf('a'))
  const down = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is not reachable.')
  const join = vi.fn(async () => inbox.join())
  join.mockRejectedValueOnce(down)
  const { ledger, lines } = ledgerOf({ ...inbox.offered, join })
  await ledger.start()
  expect(ledger.notReady()).toEqual([])
  await vi.waitFor(() => expect(ledger.backlog().count).toBe(1), { timeout: 10_000 })
  expect(lines.map(({ message }) => message)).toEqual([
    'the inbox cannot be worked off now; retrying: Kafka is not reachable.',
    'the inbox is worked off again',
  ])
})
