import { endsWithin } from './async.js'

/**
 * Milliseconds for calls that a stop has not waited for. A consumer's requests take no longer. A transaction may: it is undecided if
 * the process ends first, and the next owner of its partitions goes by what Kafka has.
 */
const LAST_CALLS = 5000

const running = new Set<Promise<unknown>>()
const abandoned = new Set<Promise<unknown>>()

/**
 * Notes a call of native code, which occupies a thread until it returns. Node.js waits for its threads at the exit, and JavaScript
 * does not run then: a call that waits for a callback never returns.
 */
export function noteNativeCall(call: Promise<unknown>): void {
  running.add(call)
  const returned = (): void => {
    running.delete(call)
    if (abandoned.delete(call) && abandoned.size === 0) process.off('exit', endByForce)
  }
  call.then(returned, returned)
}

/** Nobody waits for this call any more. While there is one, the process ends itself by a signal at its exit. */
export function abandonNativeCall(call: Promise<unknown>): void {
  if (!running.has(call)) return
  if (abandoned.size === 0) process.on('exit', endByForce)
  abandoned.add(call)
}

/** Before the exit, when everything that a stop has to do is done: resolves when all calls have returned or are abandoned. */
export async function endNativeCalls(): Promise<void> {
  await endsWithin(Promise.allSettled(running), LAST_CALLS)
  for (const call of running) abandonNativeCall(call)
}

/** An exit code is only possible when all threads have ended. Supervisors take an end by SIGTERM for one in order. */
function endByForce(code: number): void {
  const signal = code === 0 ? 'SIGTERM' : 'SIGKILL'
  process.stderr.write(
    `Headgate ends itself by ${signal}, because a call of the Kafka client does not return.\n`,
  )
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
