import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { abandonNativeCall, endNativeCalls, noteNativeCall } from '../../src/lib/native-calls.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Runs the listeners to the exit of this process that were added since. */
function watchExit() {
  const before = process.listeners('exit')
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  return {
    kill,
    stderr,
    exit(code = 1) {
      for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(code)
    },
  }
}

function startCall() {
  let respond = (): void => {}
  const call = new Promise<void>((resolve) => {
    respond = resolve
  })
  noteNativeCall(call)
  return { call, respond: () => respond() }
}

test('an exit is as usual while a call runs, and by force once it is abandoned', async () => {
  const { kill, stderr, exit } = watchExit()
  const { call, respond } = startCall()
  exit()
  expect(kill).not.toHaveBeenCalled()
  abandonNativeCall(call)
  exit()
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']])
  expect(String(stderr.mock.calls)).toContain('a call of the Kafka client does not return')
  respond()
  await call
})

test('an end by force in place of exit code 0 is by SIGTERM, whose listeners would keep the process', async () => {
  const { kill, exit } = watchExit()
  const onSignal = () => {}
  process.on('SIGTERM', onSignal)
  const { call, respond } = startCall()
  abandonNativeCall(call)
  exit(0)
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']])
  expect(process.listeners('SIGTERM')).not.toContain(onSignal)
  respond()
  await call
})

test('an abandoned call that returns late does not end the process by force any more', async () => {
  const { kill, exit } = watchExit()
  const { call, respond } = startCall()
  abandonNativeCall(call)
  respond()
  await call
  abandonNativeCall(call)
  exit()
  expect(kill).not.toHaveBeenCalled()
})

test('the last calls have a time to return, and those that do not are abandoned', async () => {
  const { kill, exit } = watchExit()
  const [fast, slow] = [startCall(), startCall()]
  fast.respond()
  const ended = endNativeCalls()
  await vi.advanceTimersByTimeAsync(5000)
  await ended
  exit()
  expect(kill).toHaveBeenCalledTimes(1)
  slow.respond()
  await slow.call
})

test('without a call that runs, nothing is waited for', async () => {
  await endNativeCalls()
  expect(vi.getTimerCount()).toBe(0)
})
