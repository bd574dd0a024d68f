import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { STUCK_AFTER, unlessStuck } from '../../../../src/plugins/sink/kafka/stuck-calls.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** The listeners of this process to its exit that a stuck call adds. */
function exitWatched() {
  const before = process.listeners('exit')
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  return {
    kill,
    stderr,
    exit() {
      for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(0)
    },
  }
}

function simulateCall() {
  let respond = (): void => {}
  const call = new Promise<void>((resolve) => {
    respond = resolve
  })
  return { call, respond: () => respond() }
}

test('a call that returns is passed on, and so is one that fails', async () => {
  expect(await unlessStuck(Promise.resolve(7))).toBe(7)
  await expect(unlessStuck(Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  expect(vi.getTimerCount()).toBe(0)
})

test('a stuck call is given up, and the process ends itself by force at its exit', async () => {
  const { kill, stderr, exit } = exitWatched()
  const { call, respond } = simulateCall()
  const waiting = unlessStuck(call)
  const given = expect(waiting).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  exit()
  expect(kill).not.toHaveBeenCalled()
  vi.advanceTimersByTime(STUCK_AFTER)
  await given
  exit()
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']])
  expect(String(stderr.mock.calls)).toContain('a call of the Kafka client does not return')
  respond()
})

test('a call that returns late does not end the process any more', async () => {
  const { kill, exit } = exitWatched()
  const { call, respond } = simulateCall()
  const waiting = expect(unlessStuck(call)).rejects.toThrow('has not responded for 20 s')
  vi.advanceTimersByTime(STUCK_AFTER)
  await waiting
  respond()
  await call
  exit()
  expect(kill).not.toHaveBeenCalled()
})
