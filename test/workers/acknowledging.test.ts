import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import { deferred } from '../helpers/deferred.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { workerPair } from './worker-pair.js'

const RETRIED = { postCommit: [{ plugin: 'tell', retry: { initial: '1ms', max: '1ms' } }] }
const TRACED = {
  ...eventOf('a'),
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'a=b',
}
const attempts = (outcome: string) => `headgate_ack_attempts_total{pipeline="orders",outcome="${outcome}"}`
const stage = (outcome: string) =>
  `headgate_stage_events_total{pipeline="orders",stage="post-commit.0.tell",plugin="tell",outcome="${outcome}"}`

test('a worker makes the attempt, with everything that a stage receives in one process, and the primary process counts it', async () => {
  const { inline, intake, asked, metric, workerMetrics } = await workerPair()
  const outcome = await intake(() => TRACED)
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  const { id, traceparent, tracestate } = TRACED
  const receipt = outcome.kind === 'delivered' ? outcome.receipt : undefined
  expect(inline.acknowledged).toEqual([{ id, receipt, traceparent, tracestate }])
  expect(asked).toHaveLength(1)
  await expect.poll(() => metric(attempts('acknowledged'))).toBe(1)
  expect(await metric(stage('passed'))).toBe(1)
  expect(await metric('headgate_ack_duration_seconds_count{pipeline="orders"}')).toBe(1)
  expect(await metric('headgate_ledger_pending{pipeline="orders"}')).toBe(0)
  const counted = workerMetrics
    .take()
    .filter(
      ({ declaration, labels }) =>
        declaration.name.startsWith('ack_') || labels['stage'] === 'post-commit.0.tell',
    )
  expect(counted).toEqual([])
})

test('the primary process retries an attempt that fails in a worker, until it succeeds', async () => {
  const { inline, intake, asked, metric, primaryLines } = await workerPair(RETRIED)
  const failures = [
    async () => ({ kind: 'retry', error: new HeadgateError('HG_ACK_RETRY', 'Answered 503.') }) as const,
    () => Promise.reject(new Error('a fault of the plugin')),
    () => {
      throw new Error('a fault of the plugin')
    },
  ]
  inline.acknowledge = async () => failures.shift()?.() ?? { kind: 'acknowledged' }
  await intake(() => TRACED)
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  expect(asked).toHaveLength(4)
  // The worker makes the attempt before the primary process counts it.
  await expect
    .poll(() => Promise.all(['acknowledged', 'retry'].map((outcome) => metric(attempts(outcome)))))
    .toEqual([1, 3])
  const logged = primaryLines.filter(({ message }) => message.includes('a fault of the plugin'))
  expect(logged).toMatchObject([
    { fields: { id: 'a', trace_id: TRACED.traceparent.slice(3, 35), code: 'HG_PLUGIN_FAILED' } },
    { message: 'tell failed: a fault of the plugin' },
  ])
})

test('an attempt that fails for good in a worker is a failed acknowledgement, and the log has the event and the reason', async () => {
  const { inline, intake, primaryLines, metric } = await workerPair()
  const error = new HeadgateError('HG_ACK_GAVE_UP', 'POST was answered 404.')
  inline.acknowledge = async () => ({ kind: 'give-up', error })
  await intake(() => TRACED)
  await expect.poll(() => metric('headgate_ledger_failed{pipeline="orders"}')).toBe(1)
  expect(primaryLines.at(-1)).toMatchObject({
    level: 'error',
    fields: { id: 'a', code: 'HG_ACK_GAVE_UP' },
    message: expect.stringContaining(error.message),
  })
})

test('a failed acknowledgement that is made pending again goes through a worker, too', async () => {
  const { inline, intake, asked, primaryPipeline, metric } = await workerPair()
  const error = new HeadgateError('HG_ACK_GAVE_UP', 'POST was answered 404.')
  inline.acknowledge = async () => ({ kind: 'give-up', error })
  await intake(() => TRACED)
  await expect.poll(() => metric('headgate_ledger_failed{pipeline="orders"}')).toBe(1)
  inline.acknowledge = async () => ({ kind: 'acknowledged' })
  expect(await primaryPipeline.ledger.retryFailed()).toBe(1)
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  expect(asked).toHaveLength(2)
})

test('an attempt that a worker is killed with counts as failed, and is made again where there is somebody to make it', async () => {
  const { inline, intake, asked, metric, endWorker } = await workerPair(RETRIED)
  const { promise, resolve } = deferred()
  inline.acknowledge = () => promise.then(() => ({ kind: 'acknowledged' }))
  await intake(() => TRACED)
  await expect.poll(() => asked).toHaveLength(1)
  inline.acknowledge = async () => ({ kind: 'acknowledged' })
  endWorker()
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  expect(await Promise.all(['acknowledged', 'retry'].map((outcome) => metric(attempts(outcome))))).toEqual([
    1, 1,
  ])
  // It lived on after all, and says so: that changes nothing.
  resolve()
  await expect.poll(() => inline.acknowledged).toHaveLength(2)
  expect(await metric(attempts('acknowledged'))).toBe(1)
  expect(await metric('headgate_ledger_pending{pipeline="orders"}')).toBe(0)
  expect(asked).toHaveLength(1)
})

test('a worker stops a stage when its attempts have ended', async () => {
  const { inline, intake, asked, workerPipeline } = await workerPair()
  const { promise, resolve } = deferred()
  inline.acknowledge = () => promise.then(() => ({ kind: 'acknowledged' }))
  await intake(() => TRACED)
  await expect.poll(() => asked).toHaveLength(1)
  const stopping = stopPipeline(workerPipeline, new AbortController().signal)
  await expect.poll(() => inline.order).toContain('stop transform')
  expect(inline.order).not.toContain('stop post-commit')
  resolve()
  await stopping
  expect(inline.acknowledged).toHaveLength(1)
  expect(inline.order.at(-1)).toBe('stop post-commit')
})
