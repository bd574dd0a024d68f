import { signal } from '@preact/signals'
import { ApiError, access, messages } from './client.js'

/** Whether the last attempt to reach Headgate succeeded; the reason if not. */
export const connection = signal<{ readonly lost?: string }>({})

/** Milliseconds until the next attempt. */
const RETRIES = [500, 1000, 2000, 5000]

interface Follower<Message> {
  /** `first`: the first message of a connection. */
  onMessage(message: Message, first: boolean): void
  /** For errors that another attempt does not mend. */
  onRefused?(error: ApiError): void
}

/**
 * Follows a stream of the admin API: connects again when it ends, and closes it while the page is hidden. Returns the function
 * that ends it.
 */
export function follow<Message>(path: string, follower: Follower<Message>): () => void {
  const ended = new AbortController()
  void keepFollowing(path, follower, ended.signal)
  return () => ended.abort()
}

async function keepFollowing<Message>(
  path: string,
  { onMessage, onRefused }: Follower<Message>,
  ended: AbortSignal,
): Promise<void> {
  for (let failures = 0; !ended.aborted; ) {
    await visible(ended)
    if (ended.aborted) return
    const stop = AbortSignal.any([ended, hidden()])
    let first = true
    try {
      for await (const message of messages<Message>(path, stop)) {
        // One that was read already may still come.
        if (stop.aborted) break
        connection.value = {}
        failures = 0
        onMessage(message, first)
        first = false
      }
    } catch (error) {
      if (stop.aborted) continue
      if (access.value.kind !== 'allowed') return
      if (error instanceof ApiError && error.status < 500 && onRefused !== undefined) return onRefused(error)
      const why = error instanceof ApiError ? error.message : 'Headgate does not respond.'
      connection.value = { lost: why }
    }
    if (!stop.aborted) await wait(RETRIES[Math.min(failures++, RETRIES.length - 1)] as number, stop)
  }
}

/**
 * Asks now, and again `every` milliseconds after each response, while the page is visible. `ask` never rejects. Returns the
 * function that ends it.
 */
export function poll(every: number, ask: (ended: AbortSignal) => Promise<void>): () => void {
  const ended = new AbortController()
  void keepAsking(every, ask, ended.signal)
  return () => ended.abort()
}

async function keepAsking(
  every: number,
  ask: (ended: AbortSignal) => Promise<void>,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    await visible(ended)
    if (!ended.aborted) await ask(ended)
    await wait(every, ended)
  }
}

const isVisible = () => document.visibilityState === 'visible'

const visible = (ended: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (isVisible() || ended.aborted) return resolve()
    const done = () => {
      if (!isVisible() && !ended.aborted) return
      document.removeEventListener('visibilitychange', done)
      ended.removeEventListener('abort', done)
      resolve()
    }
    document.addEventListener('visibilitychange', done)
    ended.addEventListener('abort', done)
  })

/** Aborted when the page is hidden. */
function hidden(): AbortSignal {
  const controller = new AbortController()
  const look = () => {
    if (isVisible()) return
    document.removeEventListener('visibilitychange', look)
    controller.abort()
  }
  document.addEventListener('visibilitychange', look)
  return controller.signal
}

const wait = (ms: number, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (stop.aborted) done()
    else stop.addEventListener('abort', done)
  })
