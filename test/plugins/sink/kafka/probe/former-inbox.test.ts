import { expect, test } from 'vitest'
import { findingsAbout } from '../../../../../src/plugins/sink/kafka/probe/former-inbox.js'

const AT = { at: '/sink/config' }
const EMPTY = { topics: ['old'], isLeft: false, owners: [], notWorkedOff: 0, notAcknowledged: 0 }

test('events that are left in a former inbox, and instances that run with it, are a warning', () => {
  expect(findingsAbout({ ...EMPTY, notWorkedOff: 3, notAcknowledged: 2 }, AT)).toMatchObject([
    {
      kind: 'warning',
      at: '/sink/config/brokers',
      name: 'former-inbox',
      message:
        'The pipeline had the inbox "old": 3 of its records are not worked off, 2 are not acknowledged. Until nothing is left, a start with this config is refused.',
    },
  ])
  const inbox = { at: '/pipelines/orders/inbox', topic: 'new' }
  expect(findingsAbout({ ...EMPTY, isLeft: true, owners: ['host/7'] }, { ...AT, inbox })).toMatchObject([
    {
      kind: 'warning',
      at: '/pipelines/orders/inbox/topic',
      message: expect.stringContaining('0 are not acknowledged, and host/7 runs with it.'),
    },
  ])
})

test('a former inbox in which nothing is left is no warning, and one that was left is not told', () => {
  expect(findingsAbout(EMPTY, AT)).toEqual([
    { kind: 'checked', message: 'Nothing is left in "old", which the pipeline had as its inbox.' },
  ])
  expect(findingsAbout({ ...EMPTY, isLeft: true, notWorkedOff: 5 }, AT)).toEqual([])
})
