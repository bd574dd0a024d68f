/** Milliseconds between two looks at what librdkafka has for us. */
const BUSY = 1
const IDLE = 250

export interface Polling {
  /** Something was sent: look often from now on, until nothing is awaited any more. */
  wake(): void
  stop(): void
}

/**
 * Calls `poll`, without which no delivery report arrives: every millisecond while `awaiting()`, which costs 7 % of a core
 * for as long as it lasts, and rarely otherwise.
 */
export function startPolling(poll: () => void, awaiting: () => boolean): Polling {
  let pace = IDLE
  let timer = setInterval(tick, pace)

  function tick(): void {
    poll()
    if (!awaiting()) changeTo(IDLE)
  }
  function changeTo(next: number): void {
    if (next === pace) return
    pace = next
    clearInterval(timer)
    timer = setInterval(tick, pace)
  }

  return { wake: () => changeTo(BUSY), stop: () => clearInterval(timer) }
}
