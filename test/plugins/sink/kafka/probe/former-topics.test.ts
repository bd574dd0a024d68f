import { expect, test } from 'vitest'
import type { UnfinishedTopic } from '../../../../../src/contract/index.js'
import { findingsAbout } from '../../../../../src/plugins/sink/kafka/probe/former-topics.js'

const AT = { at: '/sink/config', sources: [] }
const EMPTY = { topics: ['old'], isLeft: false, owners: [], unfinished: [] }
const unfinished = (topic: string, notWorkedOff: number, notAcknowledged: number): UnfinishedTopic => ({
  ...{ topic, notWorkedOff, notAcknowledged },
  next: async () => undefined,
})

test('events that are left in former topics, and instances that run with them, are a warning', () => {
  const left = { topics: ['old', 'older'], unfinished: [unfinished('old', 3, 0), unfinished('older', 4, 2)] }
  expect(findingsAbout({ ...EMPTY, ...left }, AT)).toMatchObject([
    {
      kind: 'warning',
      at: '/sink/config/brokers',
      name: 'former-topics',
      message: expect.stringContaining(
        'worked off "old", "older" before: 7 of its records are not worked off, 2 are not acknowledged. The pipeline does not begin with this config while',
      ),
    },
  ])
  expect(findingsAbout({ ...EMPTY, isLeft: true, owners: ['host/7'] }, AT)).toMatchObject([
    { message: expect.stringContaining('0 are not acknowledged, and host/7 runs with it.') },
  ])
})

test('the warning is at the present inbox, or at the present topics of the source', () => {
  const left = { ...EMPTY, unfinished: [unfinished('old', 1, 0)] }
  const inbox = { at: '/pipelines/orders/inbox', topic: 'new' }
  expect(findingsAbout(left, { ...AT, inbox })).toMatchObject([{ at: '/pipelines/orders/inbox/topic' }])
  const sources = [{ at: '/pipelines/orders/source/config/topics/0', topic: 'new' }]
  expect(findingsAbout(left, { ...AT, sources })).toMatchObject([
    { at: '/pipelines/orders/source/config/topics' },
  ])
})

test('former topics in which nothing is left are no warning, and those that were left are not told', () => {
  expect(findingsAbout(EMPTY, AT)).toEqual([
    { kind: 'checked', message: 'Nothing is left in "old", which the pipeline worked off before.' },
  ])
  expect(findingsAbout({ ...EMPTY, isLeft: true }, AT)).toEqual([])
})
