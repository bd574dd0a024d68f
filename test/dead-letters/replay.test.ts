import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Receipt, SinkRecord } from '../../src/contract/index.js'
import type { ReplayResult } from '../../src/dead-letters/replay.js'
import { HEADER } from '../../src/ledger/record-headers.js'
import { deferred } from '../helpers/deferred.js'
import { type MemoryTopics, memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, passes, prepare, replayAll, sentIds } from './setup.js'

/** A killed process does nothing any more, and reports nothing. */
class Killed extends Error {}

async function topicsWith(count: number, partitions = 1): Promise<MemoryTopics> {
  const topics = memoryTopics({ events: 1, [DLQ]: partitions })
  for (let n = 0; n < count; n++) await topics.send(letterRecord(`e${n}`, { partition: n % partitions }))
  return topics
}

const expected = (count: number) => Array.from({ length: count }, (_, n) => `e${n}`).sort()

const isNote = ({ headers }: SinkRecord) => headers.some(({ name }) => name === HEADER.replay)

/** Sends as the topics do, but the process is killed at the `at`-th record: before it is written, or right after. */
function killedAt(topics: MemoryTopics, at: number, when: 'before' | 'after') {
  let sends = 0
  return async (record: SinkRecord): Promise<Receipt> => {
    const now = sends++
    if (now > at || (now === at && when === 'before')) throw new Killed()
    const receipt = await topics.send(record)
    if (now === at) throw new Killed()
    return receipt
  }
}

test('dead letters become records again, in their order, each with the place that it comes from', async () => {
  const topics = await topicsWith(3)
  expect(await replayAll(topics)).toMatchObject({ delivered: 3, notTried: 0, reason: undefined })
  expect(sentIds(topics)).toEqual(['e0', 'e1', 'e2'])
  const [first] = topics.records('events')
  expect(first?.header(HEADER.replayOf)).toBe('dlq-0@0')
  expect(first?.value.toString()).toBe('{"id":"e0"}')
})

test('replayed letters are not chosen again', async () => {
  const topics = await topicsWith(3, 2)
  await replayAll(topics)
  await topics.send(letterRecord('new'))
  expect((await prepare(topics)).chosen).toBe(1)
  await replayAll(topics)
  expect(sentIds(topics).sort()).toEqual(['e0', 'e1', 'e2', 'new'])
})

test('wherever a run is killed, each dead letter is sent exactly once when it is run again', async () => {
  const letters = 5
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(14), fc.constantFrom('before' as const, 'after' as const)), { maxLength: 3 }),
      fc.integer({ min: 1, max: 2 }),
      async (kills, partitions) => {
        const topics = await topicsWith(letters, partitions)
        for (const [at, when] of kills) {
          // In batches of two, so that there is something before and behind the kill.
          const run = await prepare(topics, { send: killedAt(topics, at, when), rate: 200, sendWithin: 20 })
          await run.go().catch((error) => {
            if (!(error instanceof Killed)) throw error
          })
        }
        let rest: ReplayResult
        do rest = await replayAll(topics, { sendWithin: 20 })
        while (rest.reason !== undefined)
        expect(sentIds(topics).sort()).toEqual(expected(letters))
      },
    ),
    { numRuns: 60 },
  )
}, 30_000)

test('of two runs at once the one that began last goes on, and nothing is sent twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, partitions) => {
      const topics = await topicsWith(6, partitions)
      const send = scheduler.scheduleFunction(topics.send)
      // In batches of two.
      const runs = [await prepare(topics, { send, rate: 25 }), await prepare(topics, { send, rate: 25 })]
      const results = Promise.all(runs.map((run) => run.go()))
      let ended = false
      void results.finally(() => {
        ended = true
      })
      while (!ended) {
        if (scheduler.count() > 0) await scheduler.waitOne()
        else await new Promise((resolve) => setTimeout(resolve, 1))
      }
      const reasons = (await results).map(({ reason }) => reason)
      // A claim is good for 200 ms; on a machine that is busy with other things both may run out of that.
      if (!reasons.some((reason) => reason?.startsWith('the sink takes longer')))
        expect(reasons).toContain(undefined)
      let rest: ReplayResult
      do rest = await replayAll(topics)
      while (rest.reason !== undefined)
      expect(sentIds(topics).sort()).toEqual(expected(6))
    }),
    { numRuns: 15 },
  )
}, 60_000)

test('a run that another one follows stops before its next batch, and says so', async () => {
  const topics = await topicsWith(4)
  const second = await prepare(topics)
  let followed = false
  const first = await replayAll(topics, {
    rate: 10,
    async send(record) {
      const receipt = await topics.send(record)
      if (!followed && !isNote(record)) {
        followed = true
        await topics.send({ ...letterRecord('x'), ...begun() })
      }
      return receipt
    },
  })
  expect(first.reason).toBe('another replay has begun after it: somebody else')
  expect(first.delivered + first.notTried).toBe(4)
  expect(await second.go()).toMatchObject({ settledByOthers: first.delivered, delivered: first.notTried })
  expect(sentIds(topics).sort()).toEqual(expected(4))
})

const begun = (): SinkRecord => ({
  target: { topic: DLQ, partition: 0 },
  key: null,
  value: Buffer.from(JSON.stringify({ run: 'other', by: 'somebody else' })),
  headers: [
    { name: HEADER.replay, value: 'begun' },
    { name: HEADER.pipeline, value: 'orders' },
  ],
})

test('a run waits for records that an earlier one may still have in flight', async () => {
  const topics = await topicsWith(1)
  const doubted = deferred()
  const slow = await prepare(topics, {
    async send(record) {
      if (isNote(record)) return topics.send(record)
      claimed.resolve()
      await doubted.promise
      await new Promise((resolve) => setTimeout(resolve, 10))
      return topics.send(record)
    },
  })
  const claimed = deferred()
  const second = await prepare(topics, { onInDoubt: () => doubted.resolve() })
  const first = slow.go()
  await claimed.promise
  expect(await second.go()).toMatchObject({ settledByOthers: 1, delivered: 0 })
  expect(await first).toMatchObject({ delivered: 1 })
  expect(sentIds(topics)).toEqual(['e0'])
})

test('letters that the config turns away or Kafka refuses stay, are named, and do not hold up the others', async () => {
  const topics = await topicsWith(4)
  const result = await replayAll(topics, {
    judge: async (letter, value) =>
      letter.id === 'e1'
        ? { kind: 'fails', error: new HeadgateError('HG_SCHEMA_VIOLATION', 'Still wrong.') }
        : passes(letter, value),
    send: (record) =>
      record.key?.toString() === 'e2'
        ? Promise.reject(new HeadgateError('HG_RECORD_TOO_LARGE', 'It is too large.'))
        : topics.send(record),
  })
  expect(result).toMatchObject({ delivered: 2, reason: undefined, notTried: 0 })
  expect(result.failed.map(({ letter, why }) => [letter.id, why])).toEqual([
    ['e1', 'HG_SCHEMA_VIOLATION: Still wrong.'],
    ['e2', 'HG_RECORD_TOO_LARGE: It is too large.'],
  ])
  expect(sentIds(topics)).toEqual(['e0', 'e3'])
  expect((await prepare(topics)).chosen).toBe(2)
  // They were certainly not sent, so the next run need not wait for anything.
  let doubts = 0
  await replayAll(topics, { onInDoubt: () => doubts++ })
  expect(doubts).toBe(0)
  expect(sentIds(topics)).toEqual(['e0', 'e3', 'e1', 'e2'])
})

test.each([
  [true, { inDoubt: 1, notTried: 2 }],
  [false, { inDoubt: 0, notTried: 3 }],
])(
  'a fault of ours ends the run; whether the record is in doubt (%s) is told apart',
  async (uncertain, ends) => {
    const topics = await topicsWith(4)
    const result = await replayAll(topics, {
      rate: 100,
      sendWithin: 50,
      async send(record) {
        if (record.key?.toString() === 'e1')
          throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Down.', { uncertain })
        return topics.send(record)
      },
    })
    expect(result.reason).toBe('Down.')
    expect(result.delivered).toBeLessThan(4)
    expect(result.inDoubt).toHaveLength(ends.inDoubt)
    expect(result.delivered + result.notTried + result.inDoubt.length).toBe(4)
    await replayAll(topics)
    expect(sentIds(topics).sort()).toEqual(expected(4))
  },
)

test('records not confirmed while the claim is good are given up, and are in doubt', async () => {
  const topics = await topicsWith(2)
  let reject = (_error: Error): void => {}
  let gaveUp = false
  const result = await replayAll(topics, {
    send: (record) =>
      isNote(record) || record.key?.toString() === 'e0'
        ? topics.send(record)
        : new Promise((_, rejects) => {
            reject = rejects
          }),
    async giveUp() {
      gaveUp = true
      reject(new HeadgateError('HG_KAFKA_NOT_DELIVERED', 'Given up.', { uncertain: true }))
    },
  })
  expect(gaveUp).toBe(true)
  expect(result).toMatchObject({ delivered: 1, reason: 'Given up.' })
  expect(result.inDoubt.map(({ id }) => id)).toEqual(['e1'])
  expect(await replayAll(topics)).toMatchObject({ settledByOthers: 1, delivered: 1 })
  expect(sentIds(topics)).toEqual(['e0', 'e1'])
})

test.each(['begun', 'claimed', 'settled'])(
  'a note ("%s") that Kafka does not confirm in time ends the run; the next one sends what is missing',
  async (kind) => {
    const topics = await topicsWith(3)
    const isLost = ({ headers }: SinkRecord) =>
      headers.some(({ name, value }) => name === HEADER.replay && value === kind)
    const sent = kind === 'settled' ? 3 : 0
    const result = await replayAll(topics, {
      sendWithin: 100,
      send: (record) => (isLost(record) ? new Promise(() => {}) : topics.send(record)),
    })
    expect(result).toMatchObject({
      delivered: sent,
      notTried: 3 - sent,
      reason: 'Kafka has not confirmed a note in the dead-letter topic within 0.1 s.',
    })
    expect(await replayAll(topics, { sendWithin: 100 })).toMatchObject({
      delivered: 3 - sent,
      settledByOthers: sent,
    })
    expect(sentIds(topics)).toEqual(['e0', 'e1', 'e2'])
  },
)

test('a sink that does not give up its records in time leaves them in doubt', async () => {
  const topics = await topicsWith(2)
  const result = await replayAll(topics, {
    sendWithin: 100,
    send: (record) =>
      isNote(record) || record.key?.toString() === 'e0' ? topics.send(record) : new Promise(() => {}),
    giveUp: () => new Promise(() => {}),
  })
  expect(result).toMatchObject({
    delivered: 1,
    notTried: 0,
    reason: expect.stringMatching(
      /^The sink has neither confirmed the record nor given it up within 0\.\d+ s\.$/,
    ),
  })
  expect(result.inDoubt.map(({ id }) => id)).toEqual(['e1'])
  expect(await replayAll(topics, { sendWithin: 100 })).toMatchObject({ settledByOthers: 1, delivered: 1 })
  expect(sentIds(topics)).toEqual(['e0', 'e1'])
})

test('a stop waits for the records in flight, and leaves the rest for the next run', async () => {
  const topics = await topicsWith(10)
  const stop = new AbortController()
  const result = await replayAll(topics, {
    rate: 100,
    signal: stop.signal,
    onProgress: (done) => {
      if (done === 1) stop.abort()
    },
  })
  expect(result.reason).toBe('it was stopped')
  expect(result.delivered + result.notTried).toBe(10)
  expect(sentIds(topics)).toHaveLength(result.delivered)
  await replayAll(topics)
  expect(sentIds(topics).sort()).toEqual(expected(10))
})

test('if the records of a killed run can no longer be searched for, its dead letters are left alone', async () => {
  const topics = await topicsWith(2)
  for (let n = 0; n < 3; n++)
    await topics.send({ ...letterRecord('old'), target: { topic: 'events', partition: 0 } })
  const killed = await prepare(topics, { send: killedAt(topics, 2, 'after') })
  await expect(killed.go()).rejects.toThrow()
  topics.trim('events', 0, 4)
  const result = await replayAll(topics)
  expect(result.unknown.map(({ id }) => id)).toEqual(['e0', 'e1'])
  expect(result.delivered).toBe(0)
})

test('a run that cannot read its own notes sends nothing', async () => {
  const topics = await topicsWith(2)
  const run = await prepare(topics, { log: { ...topics.log, read: async () => {} } })
  expect(await run.go()).toMatchObject({
    delivered: 0,
    notTried: 2,
    reason: 'A note in the dead-letter topic cannot be read back.',
  })
  expect(sentIds(topics)).toEqual([])
})

test('the notes of another pipeline on the same topic change nothing', async () => {
  const topics = await topicsWith(2)
  await topics.send(letterRecord('theirs', { pipeline: 'payments' }))
  const note = (kind: string, said: object): SinkRecord => ({
    ...begun(),
    value: Buffer.from(JSON.stringify({ run: 'theirs', ...said })),
    headers: [
      { name: HEADER.replay, value: kind },
      { name: HEADER.pipeline, value: 'payments' },
    ],
  })
  await topics.send(note('begun', { by: 'payments' }))
  await topics.send(note('claimed', { offsets: [0, 1], from: [] }))
  expect(await replayAll(topics)).toMatchObject({ delivered: 2 })
  expect(sentIds(topics)).toEqual(['e0', 'e1'])
})

test('no more than the rate is sent in a second', async () => {
  const topics = await topicsWith(12)
  const sentAt: number[] = []
  await replayAll(topics, {
    rate: 5,
    sendWithin: 10_000,
    send(record) {
      if (!isNote(record)) sentAt.push(performance.now())
      return topics.send(record)
    },
  })
  // The first second's worth may go at once.
  expect((sentAt.at(-1) ?? 0) - (sentAt[0] ?? 0)).toBeGreaterThan(((12 - 5 - 1) / 5) * 1000)
})
