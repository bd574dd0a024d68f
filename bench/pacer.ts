/**
 * A thread that says when it is time: timers of the main thread are only good for a millisecond, and turning round there
 * until it is time would take a core from what is measured.
 */
import { parentPort } from 'node:worker_threads'
import { clock } from './schedule.js'

export interface Pace {
  /** Both on the clock of `schedule.ts`. */
  readonly start: number
  readonly end: number
  /** Milliseconds. */
  readonly tick: number
}

const never = new Int32Array(new SharedArrayBuffer(4))

parentPort?.once('message', ({ start, end, tick }: Pace) => {
  for (let next = start; next <= end + tick; ) {
    Atomics.wait(never, 0, 0, Math.max(0, next - clock()))
    parentPort?.postMessage('now')
    // One that was missed is not made up for: what is due is sent all the same.
    next = start + (Math.floor((clock() - start) / tick) + 1) * tick
  }
})
parentPort?.postMessage('up')
