import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { STUCK_AFTER, unlessStuck } from '../../../../src/plugins/sink/kafka/stuck-calls.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('a call that returns is passed on, and so is one that fails', async () => {
  expect(await unlessStuck(Promise.resolve(7))).toBe(7)
  await expect(unlessStuck(Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  expect(vi.getTimerCount()).toBe(0)
})

test('a stuck call is given up, and abandoned', async () => {
  const before = process.listenerCount('exit')
  let respond = (): void => {}
  const call = new Promise<void>((resolve) => {
    respond = resolve
  })
  const given = expect(unlessStuck(call)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: expect.stringContaining('has not responded for 20 s'),
  })
  vi.advanceTimersByTime(STUCK_AFTER)
  await given
  expect(process.listenerCount('exit')).toBe(before + 1)
  respond()
  await call
  expect(process.listenerCount('exit')).toBe(before)
})
