import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import { deferred } from '../helpers/deferred.js'
import { movableClocks } from '../helpers/movable-clocks.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

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
  // The start looks once for acknowledgements that were pending before.
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

test('when all slots are in use, the next attempt begins as soon as one has ended', async () => {
  const { inline } = await runningPipeline(withRetry({}, { concurrency: 1 }))
  const calls: (() => void)[] = []
  inline.acknowledge = () => new Promise((resolve) => calls.push(() => resolve({ kind: 'acknowledged' })))
  for (const id of ['a', 'b']) await inline.intake(() => eventOf(id))
  await expect.poll(() => calls).toHaveLength(1)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  // Added just now, and waits for others; the one that is due does not wait for it.
  await inline.intake(() => eventOf('c'))
  calls[0]?.()
  await turn()
  expect(calls).toHaveLength(2)
})

test('an acknowledgement that the sender refuses for good fails, once, and the log names the event', async () => {
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

test('after the deadline an acknowledgement fails', async () => {
  const { inline, lines } = await runningPipeline(withRetry({ deadline: '0ms' }))
  inline.acknowledge = async () => ({ kind: 'retry', error: failed, after: 1000 })
  await inline.intake(() => eventOf('a'))
  await expect.poll(() => lines.some(({ level }) => level === 'error')).toBe(true)
})

test('the intake continues while acknowledgements hang', async () => {
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

test('a sender that is down is asked rarely, however many acknowledgements are pending, and receives all of them when it is back', async () => {
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

test('a stop does not wait for later retries, and reports them as unacknowledged', async () => {
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

test('a stop also waits for pending acknowledgements that were spilled to disk', async () => {
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

const isBad = ({ id }: { readonly id: string }): boolean => id.startsWith('bad')

test.each([1000, 3000])(
  '%i events whose acknowledgement always fails hold up no other',
  async (many) => {
    const { inline } = await runningPipeline(withRetry({}))
    let attempts = 0
    const triedAt = new Map<string, number>()
    inline.acknowledge = async (committed) => {
      attempts++
      if (isBad(committed)) return { kind: 'retry', error: failed }
      triedAt.set(committed.id, attempts)
      return { kind: 'acknowledged' }
    }
    for (let event = 0; event < many; event++) await inline.intake(() => eventOf(`bad-${event}`))
    await expect.poll(() => attempts).toBeGreaterThan(200)
    for (const id of ['good-1', 'good-2', 'good-3']) {
      const before = attempts
      await inline.intake(() => eventOf(id))
      await expect.poll(() => triedAt.has(id)).toBe(true)
      // It waited for a few trials and for attempts under way, not for all that failed before.
      expect((triedAt.get(id) ?? 0) - before).toBeLessThan(500)
    }
  },
  60_000,
)

test('retries that hang do not take all slots', async () => {
  const { inline } = await runningPipeline(withRetry({}, { concurrency: 8 }))
  const tried = new Set<string>()
  let hanging = 0
  inline.acknowledge = async (committed) => {
    if (!isBad(committed)) return { kind: 'acknowledged' }
    if (!tried.has(committed.id)) {
      tried.add(committed.id)
      return { kind: 'retry', error: failed }
    }
    hanging++
    return new Promise(() => undefined)
  }
  for (let event = 0; event < 50; event++) await inline.intake(() => eventOf(`bad-${event}`))
  await expect.poll(() => hanging).toBe(6)
  for (let event = 0; event < 20; event++) await inline.intake(() => eventOf(`good-${event}`))
  await expect.poll(() => inline.acknowledged).toHaveLength(20)
  expect(hanging).toBe(6)
})

test('an event that is throttled again, while others are acknowledged, makes only itself wait', async () => {
  const { inline } = await runningPipeline(withRetry({}))
  let throttled = 0
  inline.acknowledge = async (committed) => {
    if (!isBad(committed)) return { kind: 'acknowledged' }
    const after = ++throttled === 1 ? 1 : 3_600_000
    return { kind: 'retry', error: failed, throttled: true, after }
  }
  const { promise, resolve } = deferred()
  const onBad = inline.acknowledge
  inline.acknowledge = async (committed) => {
    if (isBad(committed) && throttled === 1) await promise
    return onBad(committed)
  }
  await inline.intake(() => eventOf('bad'))
  await expect.poll(() => throttled).toBe(1)
  await inline.intake(() => eventOf('good-1'))
  await expect.poll(() => inline.acknowledged).toHaveLength(1)
  resolve()
  await expect.poll(() => throttled).toBe(2)
  await inline.intake(() => eventOf('good-2'))
  await expect.poll(() => inline.acknowledged).toHaveLength(2)
})

test.each([2, -2])(
  'a wall clock that is set by %i days fails no acknowledgement and delays none',
  async (days) => {
    const { inline, lines, metric } = await runningPipeline(withRetry({ deadline: '24h' }))
    const clocks = movableClocks()
    let down = true
    inline.acknowledge = async () => (down ? { kind: 'retry', error: failed } : { kind: 'acknowledged' })
    for (let event = 0; event < 20; event++) await inline.intake(() => eventOf(String(event)))
    clocks.setWall(days * 24 * 3_600_000)
    await expect
      .poll(() => metric('headgate_ack_attempts_total{pipeline="orders",outcome="retry"}'))
      .toBeGreaterThan(40)
    const age = await metric('headgate_ledger_oldest_pending_seconds{pipeline="orders"}')
    expect([lines.filter(({ level }) => level === 'error'), (age ?? -1) >= 0 && (age ?? 0) < 60]).toEqual([
      [],
      true,
    ])
    down = false
    await expect.poll(() => inline.acknowledged).toHaveLength(20)
  },
)
