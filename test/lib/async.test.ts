import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  aborted,
  backoffDelay,
  endsWithin,
  InFlight,
  SerialQueue,
  sleep,
  untilAborted,
} from '../../src/lib/async.js'

/** A promise, and functions that settle it. */
function deferred<Value = void>() {
  let resolve = (_value: Value): void => {}
  let reject = (_error: Error): void => {}
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** Whether a promise has settled once all microtasks that are due have run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

describe('InFlight', () => {
  test('everybody who waits is told when the last operation ends', async () => {
    const inFlight = new InFlight()
    inFlight.begin()
    inFlight.begin()
    expect(inFlight.count).toBe(2)
    const both = Promise.all([inFlight.drained(), inFlight.drained()])
    inFlight.end()
    expect(await isSettled(both)).toBe(false)
    inFlight.end()
    await both
    expect(inFlight.count).toBe(0)
  })

  test('with nothing in flight there is nothing to wait for', async () => {
    await new InFlight().drained()
  })

  test('can be waited for again after new operations', async () => {
    const inFlight = new InFlight()
    inFlight.begin()
    inFlight.end()
    inFlight.begin()
    const again = inFlight.drained()
    expect(await isSettled(again)).toBe(false)
    inFlight.end()
    await again
  })
})

describe('SerialQueue', () => {
  test('runs one task at a time, in the order of the calls', async () => {
    const queue = new SerialQueue()
    const first = deferred()
    const order: string[] = []
    const results = [
      queue.run(async () => {
        order.push('first begins')
        await first.promise
        order.push('first ends')
        return 1
      }),
      queue.run(() => {
        order.push('second')
        return 2
      }),
    ]
    expect(await isSettled(results[1] as Promise<number>)).toBe(false)
    expect(queue.size).toBe(2)
    first.resolve()
    expect(await Promise.all(results)).toEqual([1, 2])
    expect(order).toEqual(['first begins', 'first ends', 'second'])
    expect(queue.size).toBe(0)
  })

  test('a task that throws or rejects fails alone', async () => {
    const queue = new SerialQueue()
    const thrown = queue.run(() => {
      throw new Error('thrown')
    })
    const rejected = queue.run(() => Promise.reject(new Error('rejected')))
    const last = queue.run(() => 'done')
    await expect(thrown).rejects.toThrow('thrown')
    await expect(rejected).rejects.toThrow('rejected')
    expect(await last).toBe('done')
  })

  test('a turn that is held keeps the others waiting until it is released', async () => {
    const queue = new SerialQueue()
    const release = await queue.hold()
    const next = queue.hold()
    expect(await isSettled(next)).toBe(false)
    release()
    const releaseNext = await next
    const task = queue.run(() => 'done')
    expect(await isSettled(task)).toBe(false)
    releaseNext()
    expect(await task).toBe('done')
  })

  test('is drained when all tasks queued so far have ended, failed ones too', async () => {
    const queue = new SerialQueue()
    await queue.drained()
    const task = deferred()
    const failed = queue.run(() => task.promise)
    const drained = queue.drained()
    expect(await isSettled(drained)).toBe(false)
    task.reject(new Error('failed'))
    await drained
    await expect(failed).rejects.toThrow('failed')
  })
})

describe('deadlines', () => {
  test('untilAborted ends with the work, and fails as it fails', async () => {
    const { signal } = new AbortController()
    await untilAborted(undefined, signal)
    await untilAborted(Promise.resolve('a value'), signal)
    await expect(untilAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('untilAborted ends when the signal is aborted, however the work ends later', async () => {
    const controller = new AbortController()
    const work = deferred()
    const waiting = untilAborted(work.promise, controller.signal)
    expect(await isSettled(waiting)).toBe(false)
    controller.abort()
    await waiting
    await untilAborted(work.promise, controller.signal)
    // Not an unhandled rejection, which would fail this run.
    work.reject(new Error('too late to matter'))
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('aborted resolves at the abort, or at once after it', async () => {
    const controller = new AbortController()
    const waiting = aborted(controller.signal)
    expect(await isSettled(waiting)).toBe(false)
    controller.abort()
    await waiting
    await aborted(controller.signal)
  })

  describe('by the clock', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
    afterEach(() => void vi.useRealTimers())

    test('endsWithin tells whether the work was in time, and leaves no timer', async () => {
      expect(await endsWithin(Promise.resolve(), 1000)).toBe(true)
      await expect(endsWithin(Promise.reject(new Error('failed')), 1000)).rejects.toThrow('failed')
      expect(vi.getTimerCount()).toBe(0)
      const late = endsWithin(new Promise(() => {}), 1000)
      vi.advanceTimersByTime(999)
      expect(await isSettled(late)).toBe(false)
      vi.advanceTimersByTime(1)
      expect(await late).toBe(false)
    })
  })

  test('a sleep ends when the signal is aborted', async () => {
    const controller = new AbortController()
    const sleeping = sleep(2 ** 30, controller.signal)
    expect(await isSettled(sleeping)).toBe(false)
    controller.abort()
    await sleeping
    await sleep(2 ** 30, controller.signal)
    await sleep(1, new AbortController().signal)
  })
})

describe('backoffDelay', () => {
  const delays = (backoff: Parameters<typeof backoffDelay>[0], random: number) =>
    [0, 1, 2, 3, 4, 5].map((retries) => backoffDelay(backoff, retries, () => random))

  test('doubles up to its maximum', () => {
    expect(delays({ initial: 100, max: 1000 }, 0.5)).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(backoffDelay({ initial: 100, max: 1000 }, 1_000_000)).toBe(1000)
  })

  test('full jitter takes any part of the delay', () => {
    expect(delays({ initial: 100, max: 1000, jitter: 1 }, 0)).toEqual([0, 0, 0, 0, 0, 0])
    expect(delays({ initial: 100, max: 1000, jitter: 1 }, 0.5)).toEqual([50, 100, 200, 400, 500, 500])
  })

  test('half jitter keeps half of it', () => {
    expect(delays({ initial: 100, max: 1000, jitter: 0.5 }, 0)).toEqual([50, 100, 200, 400, 500, 500])
    expect(delays({ initial: 100, max: 1000, jitter: 0.5 }, 1)).toEqual([100, 200, 400, 800, 1000, 1000])
  })
})
