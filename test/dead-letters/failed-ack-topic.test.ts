import { expect, test } from 'vitest'
import type { SinkRecord } from '../../src/contract/index.js'
import { failedAckOf } from '../../src/dead-letters/failed-ack.js'
import { FailedAckTopic, type FailedAckTopicOptions } from '../../src/dead-letters/failed-ack-topic.js'
import { findLetters } from '../../src/dead-letters/find.js'
import { HEADER } from '../../src/ledger/record-headers.js'
import { recordMac } from '../../src/pipeline/record-mac.js'
import { memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE, passes, prepareDiscard } from './setup.js'

const STAGE = { name: 'post-commit.0.cxone-ack', plugin: 'cxone-ack' }
const REASON = { code: 'HG_ACK_REFUSED', message: 'POST failed with status 404.' }
const proof = recordMac('the key of the pipeline')

const setUp = (partitions = 1) => {
  const topics = memoryTopics({ events: 1, [DLQ]: partitions })
  const open = (options: Partial<FailedAckTopicOptions> = {}) =>
    new FailedAckTopic({
      pipeline: PIPELINE,
      revision: 'abc',
      mac: proof,
      proof: undefined,
      target: { topic: DLQ },
      log: topics.log,
      send: topics.send,
      stages: [STAGE],
      ...options,
    })
  return { topics, open }
}

const failedAck = (id: string, stage = 0) => ({
  key: [0, 7] as const,
  committed: { id, receipt: { topic: 'inbox', partition: 0, offset: 7 }, traceparent: 'a-trace' },
  committedAt: 0,
  stage,
  attempts: 3,
  dueAt: 0,
  spilled: false,
})

const idsOf = async (store: FailedAckTopic) => (await store.open()).map(({ committed: { id } }) => id)

test('a failed acknowledgement is kept with its stage and reason, and another process finds all that it needs', async () => {
  const { topics, open } = setUp()
  const position = await open().keep(failedAck('a'), REASON)
  expect(position).toEqual({ topic: DLQ, partition: 0, offset: 0 })
  const [record] = topics.records(DLQ)
  expect([HEADER.failedAck, HEADER.stage, HEADER.id].map((name) => record?.header(name))).toEqual([
    'true',
    STAGE.name,
    undefined,
  ])
  const [kept] = await open().open()
  expect(kept).toEqual({
    position,
    committed: failedAck('a').committed,
    stage: 0,
    reason: REASON,
    failedAt: expect.any(Number),
    isProven: true,
  })
})

test('dead letters and failed acknowledgements share a topic, and each is told from the other', async () => {
  const { topics, open } = setUp()
  await topics.send(letterRecord('letter'))
  await open().keep(failedAck('ack'), REASON)
  await open({ pipeline: 'payments' }).keep(failedAck('theirs'), REASON)
  expect(await idsOf(open())).toEqual(['ack'])
  const { letters } = await findLetters({
    log: topics.log,
    topic: DLQ,
    pipeline: PIPELINE,
    filter: {},
    includeSettled: false,
    judge: passes,
    onProgress() {},
  })
  expect(
    letters.map(({ letter, prospect }) => [letter.id, letter.stage, letter.code, prospect?.kind]),
  ).toEqual([
    ['letter', 'transform.0.json-schema', 'HG_SCHEMA_VIOLATION', 'passes'],
    ['ack', STAGE.name, REASON.code, undefined],
  ])
})

test('one that was made after all is open for nobody any more, and its status says so', async () => {
  const { topics, open } = setUp(2)
  const [one, other] = [open(), open()]
  const positions = [
    await one.keep(failedAck('a'), REASON),
    await open({ target: { topic: DLQ, partition: 1 } }).keep(failedAck('b'), REASON),
    await one.keep(failedAck('c'), REASON),
  ] as const
  await one.acknowledged([positions[0], positions[1]])
  expect(await idsOf(other)).toEqual(['c'])
  const { letters } = await findLetters({
    log: topics.log,
    topic: DLQ,
    pipeline: PIPELINE,
    filter: {},
    includeSettled: true,
    onProgress() {},
  })
  expect(letters.map(({ letter, status }) => [letter.id, status.kind]).toSorted()).toEqual([
    ['a', 'acknowledged'],
    ['b', 'acknowledged'],
    ['c', 'open'],
  ])
})

test('a discarded one is open no more, and an instance that looks again notices that', async () => {
  const { topics, open } = setUp()
  const store = open()
  const a = await store.keep(failedAck('a'), REASON)
  expect(await store.stillOpen([a])).toEqual([a])
  const b = await store.keep(failedAck('b'), REASON)
  const discardAll = await prepareDiscard(topics)
  expect(await discardAll()).toMatchObject({ discarded: 2 })
  const c = await store.keep(failedAck('c'), REASON)
  expect(await store.stillOpen([a, b, c])).toEqual([c])
  expect(await idsOf(open())).toEqual(['c'])
})

test('one whose stage the config no longer has stays open, without a stage', async () => {
  const { open } = setUp()
  await open().keep(failedAck('a'), REASON)
  const [kept] = await open({ stages: [{ name: 'post-commit.0.other', plugin: 'other' }] }).open()
  expect(kept).toMatchObject({ committed: { id: 'a' }, stage: undefined })
})

test('with a key of the process, one that somebody else wrote is not proven', async () => {
  const { topics, open } = setUp()
  const store = open({ proof })
  await store.keep(failedAck('ours'), REASON)
  await open({ mac: recordMac('the key of somebody else') }).keep(failedAck('forged'), REASON)
  const [ours] = topics.records(DLQ)
  const copied: SinkRecord = {
    target: { topic: DLQ },
    key: null,
    value: Buffer.from(JSON.stringify({ id: 'changed', attempts: 1 })),
    headers: ours?.headers() ?? [],
  }
  await topics.send(copied)
  const proven = (await store.open()).map(({ committed: { id }, isProven }) => [id, isProven])
  expect(proven).toEqual([
    ['ours', true],
    ['forged', false],
    ['changed', false],
  ])
})

test('a record with the header of a failed acknowledgement and another value is none', async () => {
  const { topics, open } = setUp()
  await open().keep(failedAck('ack'), REASON)
  const [record] = topics.records(DLQ)
  for (const value of ['garbage', '{}', '{"id":"a","attempts":"many"}'])
    await topics.send({
      target: { topic: DLQ },
      key: null,
      value: Buffer.from(value),
      headers: record?.headers() ?? [],
    })
  expect(topics.records(DLQ).map((each) => failedAckOf(each)?.id)).toEqual([
    'ack',
    undefined,
    undefined,
    undefined,
  ])
  expect(await idsOf(open())).toEqual(['ack'])
})
