import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Receipt, SinkRecord } from '../../src/contract/index.js'
import { findLetters } from '../../src/dead-letters/find.js'
import { type MemoryTopics, memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE, prepare, prepareDiscard, replayAll, sentIds } from './setup.js'

class Killed extends Error {}

async function topicsWith(count: number, partitions = 1): Promise<MemoryTopics> {
  const topics = memoryTopics({ events: 1, [DLQ]: partitions })
  for (let n = 0; n < count; n++) await topics.send(letterRecord(`e${n}`, { partition: n % partitions }))
  return topics
}

const discardAll = async (topics: MemoryTopics) => (await prepareDiscard(topics))()

const lettersOf = async ({ log }: MemoryTopics) =>
  (
    await findLetters({
      log,
      topic: DLQ,
      pipeline: PIPELINE,
      filter: {},
      includeSettled: true,
      onProgress() {},
    })
  ).letters

const discardedIds = async (topics: MemoryTopics): Promise<string[]> =>
  (await lettersOf(topics)).flatMap(({ letter, status }) => (status.kind === 'discarded' ? [letter.id] : []))

test('discarded dead letters are settled with their reason, and no replay sends them', async () => {
  const topics = await topicsWith(3, 2)
  expect(await discardAll(topics)).toEqual({
    discarded: 3,
    settledByOthers: 0,
    notTried: 0,
    reason: undefined,
  })
  const [first] = await lettersOf(topics)
  expect(first?.status).toEqual({
    kind: 'discarded',
    reason: 'nobody needs them',
    by: 'a test',
    at: expect.any(Number),
  })
  expect((await prepare(topics)).chosen).toBe(0)
  expect(await replayAll(topics)).toMatchObject({ delivered: 0 })
  expect(sentIds(topics)).toEqual([])
})

test('a replay that has chosen before the discard sends nothing of it', async () => {
  const topics = await topicsWith(3)
  const replay = await prepare(topics)
  await discardAll(topics)
  expect(await replay.go()).toMatchObject({ delivered: 0, settledByOthers: 3, reason: undefined })
  expect(sentIds(topics)).toEqual([])
})

test('letters replayed before are not discarded, and stay replayed', async () => {
  const topics = await topicsWith(3)
  const discard = await prepareDiscard(topics)
  await replayAll(topics)
  expect(await discard()).toEqual({ discarded: 0, settledByOthers: 3, notTried: 0, reason: undefined })
  expect(await discardedIds(topics)).toEqual([])
})

test('of a killed replay, only the letters that it has not sent are discarded', async () => {
  const topics = await topicsWith(4)
  let sends = 0
  const send = async (record: SinkRecord): Promise<Receipt> => {
    // "begun", "claimed", and two records.
    if (sends++ >= 4) throw new Killed()
    return topics.send(record)
  }
  const replay = await prepare(topics, { send })
  await replay.go().catch((error) => {
    if (!(error instanceof Killed)) throw error
  })
  const discard = await prepareDiscard(topics, { sendWithin: 20 })
  expect(await discard()).toEqual({ discarded: 2, settledByOthers: 2, notTried: 0, reason: undefined })
  expect([sentIds(topics), await discardedIds(topics)]).toEqual([
    ['e0', 'e1'],
    ['e2', 'e3'],
  ])
})

test('dead letters of which nobody can find out whether they were sent can be discarded', async () => {
  const topics = await topicsWith(2)
  const replay = await prepare(topics, {
    async send(record) {
      if (record.target.topic === 'events') throw new Killed()
      return topics.send(record)
    },
  })
  await replay.go().catch(() => {})
  await topics.send({ ...letterRecord('later'), target: { topic: 'events', partition: 0 } })
  topics.trim('events', 0, 1)
  const discard = await prepareDiscard(topics, { sendWithin: 20 })
  expect(await discard()).toMatchObject({ discarded: 2, reason: undefined })
})

test('whatever a replay and a discard do at the same time, none is both sent and discarded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, partitions) => {
      const topics = await topicsWith(6, partitions)
      const send = scheduler.scheduleFunction(topics.send)
      const replay = await prepare(topics, { send, rate: 25, sendWithin: 100 })
      const discard = await prepareDiscard(topics, { send, sendWithin: 100 })
      const both = Promise.all([replay.go(), discard()])
      let ended = false
      void both.finally(() => {
        ended = true
      })
      while (!ended) {
        if (scheduler.count() > 0) await scheduler.waitOne()
        else await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await both
      let rest = await discardAll(topics)
      while (rest.reason !== undefined) rest = await discardAll(topics)
      const settled = [...sentIds(topics), ...(await discardedIds(topics))]
      expect(settled.sort()).toEqual(Array.from({ length: 6 }, (_, n) => `e${n}`))
    }),
    { numRuns: 10 },
  )
}, 60_000)
