import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/errors.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import { deferred } from '../helpers/deferred.js'
import { runningPipeline } from '../helpers/inline-pipeline.js'
import { eventOf } from '../helpers/inline-plugins.js'

const failed = new HeadgateError('HG_ACK_RETRY', 'POST answered 503.')
const withRetry = (retry: object, more: object = {}) => ({
  postCommit: [{ plugin: 'tell', retry: { initial: '1ms', max: '1ms', ...retry }, ...more }],
})

test('a failed acknowledgement is tried again until it succeeds, and each attempt is counted', async () => {
  const { inline, metric } = await runningPipeline(withRetry({}))
  let attempts = 0
  inline.acknowledge = async () =>
    ++attempts < 4 ? { kind: 'retry', error: failed } : { kind: 'acknowledged' }
  await inline.intake(() => eventOf('a'))
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  const counted = (outcome: string) =>
    metric(`headgate_ack_attempts_total{pipeline="orders",outcome="${outcome}"}`)
  expect(await Promise.all(['acknowledged', 'retry', 'gave-up'].map(counted))).toEqual([1, 3, 0])
})

test('acknowledgements wait a moment for others, unless there are many', async () => {
  const { inline } = await runningPipeline()
  // What was owed before is looked at once at the start.
  await turn()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const acknowledge = vi.fn(async () => ({ kind: 'acknowledged' }) as const)
  inline.acknowledge = acknowledge
  for (const id of ['a', 'b', 'c']) await inline.intake(() => eventOf(id))
  await turn()
  expect(acknowledge).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10)
  expect(acknowledge).toHaveBeenCalledTimes(3)
  for (let event = 0; event < 32; event++) await inline.intake(() => eventOf(String(event)))
  await turn()
  expect(acknowledge).toHaveBeenCalledTimes(35)
})

test('where all attempts are under way, the next begins as soon as one has ended', async () => {
  const { inline } = await runningPipeline(withRetry({}, { concurrency: 1 }))
  const calls: (() => void)[] = []
  inline.acknowledge = () => new Promise((resolve) => calls.push(() => resolve({ kind: 'acknowledged' })))
  for (const id of ['a', 'b']) await inline.intake(() => eventOf(id))
  await expect.poll(() => calls).toHaveLength(1)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  // Owed just now, and waits for others; the one that is due does not wait for it.
  await inline.intake(() => eventOf('c'))
  calls[0]?.()
  await turn()
  expect(calls).toHaveLength(2)
})

test('what the sender refuses for good is given up, once, and the log names the event', async () => {
  const { inline, lines, metric, pipeline } = await runningPipeline()
  const acknowledge = vi.fn(async () => ({ kind: 'give-up', error: failed }) as const)
  inline.acknowledge = acknowledge
  await inline.intake(() => eventOf('lost-one'))
  await expect.poll(() => lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect(lines.at(-1)?.fields).toMatchObject({ id: 'lost-one', code: 'HG_ACK_GAVE_UP' })
  expect(acknowledge).toHaveBeenCalledOnce()
  expect(await metric('headgate_ledger_pending{pipeline="orders"}')).toBe(0)
  const { first } = (await pipeline.ledger.report()).failed
  expect(first.map(({ reason }) => JSON.stringify(reason))).toEqual([
    JSON.stringify({ code: failed.code, message: failed.message }),
  ])
})

test('after the deadline an acknowledgement is given up', async () => {
  const { inline, lines } = await runningPipeline(withRetry({ deadline: '0ms' }))
  inline.acknowledge = async () => ({ kind: 'retry', error: failed, after: 1000 })
  await inline.intake(() => eventOf('a'))
  await expect.poll(() => lines.some(({ level }) => level === 'error')).toBe(true)
})

test('intake goes on while the sender cannot be told', async () => {
  const { inline, metric } = await runningPipeline(withRetry({}, { concurrency: 2 }))
  const { promise, resolve } = deferred()
  inline.acknowledge = () => promise.then(() => ({ kind: 'acknowledged' }))
  for (let event = 0; event < 50; event++) {
    expect(await inline.intake(() => eventOf(String(event)))).toMatchObject({ kind: 'delivered' })
  }
  expect(await metric('headgate_ledger_pending{pipeline="orders"}')).toBe(50)
  resolve()
  await expect.poll(() => inline.acknowledged).toHaveLength(50)
})

test('no more attempts are under way than the concurrency allows', async () => {
  const { inline } = await runningPipeline(withRetry({}, { concurrency: 3 }))
  let active = 0
  let most = 0
  inline.acknowledge = async () => {
    most = Math.max(most, ++active)
    await new Promise((done) => setImmediate(done))
    active--
    return { kind: 'acknowledged' }
  }
  await Promise.all(Array.from({ length: 40 }, (_, n) => inline.intake(() => eventOf(String(n)))))
  await expect.poll(() => inline.acknowledged).toHaveLength(40)
  expect(most).toBe(3)
})

test('a sender that is down is asked rarely, however much it is owed, and is told all of it once it is back', async () => {
  const { inline } = await runningPipeline({
    postCommit: [{ plugin: 'tell', concurrency: 10, retry: { initial: '1h', max: '1h' } }],
  })
  let down = true
  const acknowledge = vi.fn(async () =>
    down ? ({ kind: 'retry', error: failed, after: 0 } as const) : ({ kind: 'acknowledged' } as const),
  )
  inline.acknowledge = acknowledge
  for (let event = 0; event < 500; event++) await inline.intake(() => eventOf(String(event)))
  await expect.poll(() => acknowledge.mock.calls.length).toBeGreaterThanOrEqual(100)
  const asked = acknowledge.mock.calls.length
  // The hundredth failure in a row, those that were under way then, and trials since.
  expect(asked).toBeLessThan(150)
  down = false
  await expect.poll(() => inline.acknowledged.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(500 - asked)
})

test('when the sender throttles, everything waits as long as it asked', async () => {
  const { inline } = await runningPipeline(withRetry({}))
  const acknowledge = vi.fn(
    async () => ({ kind: 'retry', error: failed, after: 3_600_000, throttled: true }) as const,
  )
  inline.acknowledge = acknowledge
  await inline.intake(() => eventOf('a'))
  await expect.poll(() => acknowledge.mock.calls.length).toBe(1)
  for (let event = 0; event < 5; event++) await inline.intake(() => eventOf(`b${event}`))
  expect(inline.acknowledged).toEqual([])
  expect(acknowledge).toHaveBeenCalledOnce()
})

test('a stop does not wait for what is to be tried later, and reports it as left', async () => {
  const { inline, pipeline, deadline } = await runningPipeline(withRetry({ max: '5m' }))
  const acknowledge = vi.fn(async () => ({ kind: 'retry', error: failed, after: 120_000 }) as const)
  inline.acknowledge = acknowledge
  await inline.intake(() => eventOf('a'))
  await expect.poll(() => acknowledge).toHaveBeenCalled()
  expect(await stopPipeline(pipeline, deadline.signal)).toMatchObject({ inFlight: 0, unacknowledged: 1 })
  expect(deadline.signal.aborted).toBe(false)
})

test('a stop does not wait for a sender that is down', async () => {
  const { inline, pipeline } = await runningPipeline(withRetry({}, { concurrency: 10 }))
  const acknowledge = vi.fn(async () => ({ kind: 'retry', error: failed }) as const)
  inline.acknowledge = acknowledge
  for (let event = 0; event < 50; event++) await inline.intake(() => eventOf(String(event)))
  await expect.poll(() => acknowledge.mock.calls.length).toBeGreaterThanOrEqual(100)
  const deadline = new AbortController()
  expect(await stopPipeline(pipeline, deadline.signal)).toMatchObject({ unacknowledged: 50 })
})

test('a stop waits for what is owed and had to wait on disk, too', async () => {
  const { inline, pipeline, deadline } = await runningPipeline(withRetry({}, { concurrency: 100 }))
  const { promise, resolve } = deferred()
  inline.acknowledge = () => promise.then(() => ({ kind: 'acknowledged' }))
  // More than are kept in memory.
  const many = 25_000
  for (let event = 0; event < many; event++) await inline.intake(() => eventOf(String(event)))
  const stopped = stopPipeline(pipeline, deadline.signal)
  resolve()
  expect(await stopped).toMatchObject({ inFlight: 0, unacknowledged: 0 })
  expect(new Set(inline.acknowledged.map(({ id }) => id)).size).toBe(many)
}, 30_000)
