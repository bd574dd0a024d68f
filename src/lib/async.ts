import { setTimeout as delay } from 'node:timers/promises'

/** Counts operations in flight. */
export class InFlight {
  #count = 0
  #waiting: (() => void)[] = []

  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count++
  }

  end(): void {
    if (--this.#count > 0 || this.#waiting.length === 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when none is in flight. */
  drained(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve))
  }
}

/** Runs tasks one at a time, in the order of the calls. A failed task does not stop the later ones. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()
  #size = 0

  /** The number of tasks that run or wait. */
  get size(): number {
    return this.#size
  }

  run<Result>(task: () => Result | PromiseLike<Result>): Promise<Result> {
    this.#size++
    const result = this.#last.then(task).finally(() => this.#size--)
    this.#last = result.catch(() => {})
    return result
  }

  /** Waits for its turn and keeps it until the function that it resolves with is called. */
  hold(): Promise<() => void> {
    return new Promise((resolve) => void this.run(() => new Promise<void>(resolve)))
  }

  /** Resolves when all tasks queued so far have ended. */
  async drained(): Promise<void> {
    await this.#last
  }
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * Waits for `work`, or until `signal` is aborted. Rejects if `work` does before that. Leaves no listener on the signal: listeners
 * would accumulate on the signal of a whole process.
 */
export async function untilAborted(work: Promise<unknown> | undefined, signal: AbortSignal): Promise<void> {
  if (work === undefined) return
  let cut = (): void => {}
  const late = new Promise<void>((resolve) => {
    cut = resolve
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', cut, { once: true })
  })
  try {
    await Promise.race([late, work])
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

/** True if `work` resolves within this time. Rejects if `work` does before that. */
export async function endsWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves after this time, or when `signal` is aborted. `ref`: whether the timer keeps the process alive. */
export const sleep = (milliseconds: number, signal: AbortSignal, ref = true): Promise<void> =>
  delay(milliseconds, undefined, { signal, ref }).catch(() => {})

export interface Backoff {
  /** Milliseconds. */
  readonly initial: number
  readonly max: number
  /** The share of each delay that is random: 0, the default, for none, 1 for full jitter. */
  readonly jitter?: number
}

/**
 * Milliseconds to wait before the next attempt, after this many retries: doubles from `initial` to `max`. With jitter, clients
 * that failed together do not retry together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffDelay(
  { initial, max, jitter = 0 }: Backoff,
  retries: number,
  random = Math.random,
): number {
  const bound = Math.min(max, initial * 2 ** Math.min(retries, 30))
  return jitter === 0 ? bound : bound * (1 - jitter + jitter * random())
}
