import { setMaxListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Posting, SandboxEvent } from './events.js'

/** How a sender was answered in the end. */
export interface SenderResponse {
  readonly status: number
  /** The answer's JSON; undefined where it is not JSON. */
  readonly body: { readonly [member: string]: unknown } | undefined
  /** How often it was told 503 before. */
  readonly refusals: number
}

/** A request and its answer. */
export interface Exchange {
  readonly posting: Posting
  readonly response: SenderResponse
}

export interface Sender {
  /** Posts until the answer is another one than 503, as long as Retry-After asks to wait in between. */
  post(event: Pick<SandboxEvent, 'body' | 'headers'>): Promise<SenderResponse>
  close(): Promise<void>
}

/** A sender as CXone is one: it keeps an event that was answered 503, and posts it again. `ended` calls it off. */
export function createSender(url: string, connections: number, ended: AbortSignal): Sender {
  const { origin, pathname } = new URL(url)
  // Every request listens to its end, and there are as many as the caller likes.
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
        if (Number.isNaN(seconds)) throw new Error(`An answer of 503 came without Retry-After: ${text}`)
        await wait(seconds * 1000, undefined, { signal })
      }
    },
    close: () => pool.close(),
  }
}

/** Does `task` for every item, at most `width` at a time, in order of the items; gives the results in that order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  const queue = items.entries()
  const worker = async () => {
    for (const [at, item] of queue) results[at] = await task(item)
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
