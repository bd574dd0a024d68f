/**
 * A thread that signals each tick: timers of the main thread are exact only to a millisecond, and a busy loop there
 * would take a core from the measured programs.
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
  for (let next = start, now = start; now <= end; ) {
    Atomics.wait(never, 0, 0, Math.max(0, next - clock()))
    // Read before the signal, so that the last signal comes after the end even if this thread is held up: without it, the events that
    // were due meanwhile would never be sent.
    now = clock()
    parentPort?.postMessage('now')
    // A missed tick is not made up for: all due events are sent with the next one.
    next = start + (Math.floor((now - start) / tick) + 1) * tick
  }
})
parentPort?.postMessage('up')
