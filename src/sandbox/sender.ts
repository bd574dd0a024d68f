import { setMaxListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Posting, SandboxEvent } from './events.js'

/** The last response to a sender. */
export interface SenderResponse {
  readonly status: number
  /** Undefined if the body is not a JSON text. */
  readonly body: { readonly [member: string]: unknown } | undefined
  /** Number of 503 responses before it. */
  readonly refusals: number
}

/** A request and its response. */
export interface Exchange {
  readonly posting: Posting
  readonly response: SenderResponse
}

export interface Sender {
  /** Posts until the status is not 503; waits between two requests as long as Retry-After asks. */
  post(event: Pick<SandboxEvent, 'body' | 'headers'>): Promise<SenderResponse>
  close(): Promise<void>
}

/** A sender that behaves like CXone: it posts an event again after a 503. `ended` cancels it. */
export function createSender(url: string, connections: number, ended: AbortSignal): Sender {
  const { origin, pathname } = new URL(url)
  // Every request adds a listener; without this, Node.js warns about more than ten.
  const signal = AbortSignal.any([ended])
  setMaxListeners(0, signal)
  const pool = new Pool(origin, { connections })
  return {
    async post({ body, headers }) {
      for (let refusals = 0; ; refusals++) {
        const response = await pool.request({ path: pathname, method: 'POST', headers, body, signal })
        const text = await response.body.text()
        if (response.statusCode !== 503) return { status: response.statusCode, body: json(text), refusals }
        const seconds = Number(response.headers['retry-after'])
        if (Number.isNaN(seconds)) throw new Error(`A 503 response has no Retry-After header: ${text}`)
        await wait(seconds * 1000, undefined, { signal })
      }
    },
    close: () => pool.close(),
  }
}

/** Runs `task` for every item, in order and at most `width` at a time; returns the results in the same order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await task(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

function json(text: string): SenderResponse['body'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
