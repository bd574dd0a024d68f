import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { METRICS } from '../../src/metrics/table.js'
import type { CompletedEvent } from '../../src/pipeline/taps.js'
import { RemoteTap } from '../../src/workers/remote-tap.js'
import {
  type AttemptMadeMessage,
  type CompletedMessage,
  fromAttemptMadeMessage,
  fromCompletedMessage,
} from '../../src/workers/tap-message.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

const MASKS = [['card']]

function remoteTap({ isFull = false } = {}) {
  const metrics = new ProcessMetrics()
  const sent: {
    readonly message: CompletedMessage | AttemptMadeMessage
    readonly parts: readonly Buffer[]
  }[] = []
  const tap = new RemoteTap(
    {
      isFull: () => isFull,
      // As the channel does it.
      send: (message, parts = []) => void sent.push({ message: JSON.parse(JSON.stringify(message)), parts }),
    },
    metrics,
  )
  const completed = () =>
    sent.map(({ message, parts }) =>
      fromCompletedMessage(message as CompletedMessage, parts, { name: 'orders', masks: MASKS }),
    )
  const skipped = () => metrics.read([METRICS.tapSkippedTotal])[0]?.values[0]
  return { tap, sent, completed, skipped }
}

const event = {
  ...eventOf('a', { card: 1 }),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}
const route = { name: 'all', target: { topic: 'events', partition: 0 } }
const record = {
  target: route.target,
  key: Buffer.from('a'),
  value: event.body.bytes,
  headers: [{ name: 'one', value: 'two' }],
}
const accepted: CompletedEvent = {
  pipeline: { name: 'orders', masks: MASKS },
  outcome: { kind: 'accepted', id: 'a', receipt: { topic: 'inbox', partition: 2, offset: 5 } },
  remoteAddress: '10.0.0.1',
  event: { ...event, route },
  record,
  times: [{ stage: 'source.inline', from: 0, ms: 1 }],
  at: 1000,
  took: 2,
  error: undefined,
  rule: 'all',
  askRule: undefined,
}

test('an event comes to the taps of the primary process as it was', () => {
  const { tap, completed } = remoteTap()
  tap.offer(accepted)
  const [shown] = completed()
  expect(shown).toMatchObject({
    pipeline: accepted.pipeline,
    outcome: accepted.outcome,
    remoteAddress: '10.0.0.1',
    times: accepted.times,
    at: 1000,
    took: 2,
    rule: 'all',
    error: undefined,
    record: { target: record.target, headers: record.headers },
  })
  expect(shown?.event).toMatchObject({ id: 'a', traceparent: event.traceparent, route })
  expect(shown?.event?.body.bytes).toEqual(event.body.bytes)
  expect(shown?.record?.key?.toString()).toBe('a')
  expect(shown?.record?.value).toEqual(event.body.bytes)
})

test('a request that did not become an event comes with its error', () => {
  const { tap, completed } = remoteTap()
  const error = new HeadgateError('HG_INTAKE_NOT_JSON', 'It is no JSON.')
  const outcome = { kind: 'rejected', id: undefined, error } as const
  tap.offer({ ...accepted, outcome, event: undefined, record: undefined, rule: undefined, error })
  expect(completed()).toMatchObject([
    {
      event: undefined,
      record: undefined,
      outcome: { kind: 'rejected', error: { code: 'HG_INTAKE_NOT_JSON' } },
      error: { code: 'HG_INTAKE_NOT_JSON', message: 'It is no JSON.' },
    },
  ])
})

test('a stage is asked in the worker for the rule by which it dropped an event', async () => {
  const { tap, completed } = remoteTap()
  const dropped = {
    ...accepted,
    outcome: { kind: 'dropped', id: 'a' },
    record: undefined,
    rule: undefined,
  } as const
  tap.offer({ ...dropped, askRule: async () => 'tests' })
  tap.offer({ ...dropped, askRule: async () => Promise.reject(new Error('it fails')) })
  await expect
    .poll(() => completed().map(({ rule, record }) => [rule, record]))
    .toEqual([
      ['tests', undefined],
      [undefined, undefined],
    ])
})

test('of many dropped events at once, those whose stages cannot be asked are counted as skipped', async () => {
  const { tap, sent, skipped } = remoteTap()
  const dropped = {
    ...accepted,
    outcome: { kind: 'dropped', id: 'a' },
    askRule: async () => 'tests',
  } as const
  for (let n = 0; n < 2000; n++) tap.offer(dropped)
  await expect.poll(() => sent.length).toBeGreaterThan(0)
  expect(sent.length + (skipped() ?? 0)).toBe(2000)
  expect(skipped()).toBeGreaterThan(0)
})

test('while the primary process reads slowly, events are counted as skipped and not sent', () => {
  const { tap, sent, skipped } = remoteTap({ isFull: true })
  tap.offer(accepted)
  expect([sent, skipped()]).toEqual([[], 1])
})

test('an attempt at acknowledging comes with its error', () => {
  const { tap, sent } = remoteTap()
  const error = new HeadgateError('HG_ACK_REQUEST', 'It was refused.')
  const attempt = { pipeline: 'orders', stage: 'post-commit.0.tell', id: 'a', at: 1, took: 2 } as const
  tap.attempted({ ...attempt, outcome: 'gave-up', error })
  expect(fromAttemptMadeMessage(sent[0]?.message as AttemptMadeMessage)).toMatchObject({
    ...attempt,
    outcome: 'gave-up',
    error: { code: 'HG_ACK_REQUEST', message: 'It was refused.' },
  })
})

test('pipelines have a tap for as long as somebody watches', () => {
  const { tap } = remoteTap()
  tap.watch(true)
  expect([...tap.running]).toEqual([tap])
  tap.watch(false)
  expect(tap.running.size).toBe(0)
})
