import { setTimeout as wait } from 'node:timers/promises'
import TinyQueue from 'tinyqueue'
import { Pool } from 'undici'
import { eventAt, repeatsOf, type TortureEvent } from './events.js'
import type { Journal, Sent } from './journal.js'

/** A sender that keeps every event until it has a response, and posts some of them again. */
interface Sender {
  /** The number of requests by result: a status, or the reason why there was none. */
  readonly requests: ReadonlyMap<string, number>
  /** Sends no new events from now on. Resolves when all sent ones have responses, or after `within` milliseconds. */
  finish(within: number, signal: AbortSignal): Promise<void>
  /** Ends at once. */
  close(): Promise<void>
}

interface SenderOptions {
  /** The webhook on each instance, and whether a load balancer would send there. */
  readonly targets: readonly SenderTarget[]
  readonly token: string
  readonly seed: number
  /** New events a second. */
  readonly rate: number
}

export interface SenderTarget {
  readonly url: string
  takesEvents(): boolean
}

const CONNECTIONS = 256
/** Events without a response: at this number, no new ones are sent. */
const MOST_OPEN = 400
/** The most milliseconds until a response: then the event is posted again. */
const PATIENCE = 5000
/** Milliseconds for which an instance gets no events after one without a response, if there are others. */
const AVOIDED = 3000
/** Waits before posting again, in milliseconds. */
const SHORTEST_WAIT = 200
const LONGEST_WAIT = 1000
const TICK = 5

export function startSender({ targets, token, seed, rate }: SenderOptions, journal: Journal): Sender {
  const pools = targets.map(({ url, takesEvents }) => {
    const { origin, pathname: path } = new URL(url)
    const timeouts = { headersTimeout: PATIENCE, bodyTimeout: PATIENCE }
    return {
      pool: new Pool(origin, { connections: CONNECTIONS, ...timeouts }),
      path,
      takesEvents,
      avoidedUntil: 0,
    }
  })
  const requests = new Map<string, number>()
  const again = new TinyQueue<{ readonly n: number; readonly entry: Sent; readonly due: number }>(
    [],
    (a, b) => a.due - b.due,
  )
  let open = 0
  let sending = true
  let closed = false

  /** Any that takes events, so that copies of an event reach several. */
  function choose(): (typeof pools)[number] {
    const ready = pools.filter(
      ({ takesEvents, avoidedUntil }) => takesEvents() && performance.now() > avoidedUntil,
    )
    const among = ready.length > 0 ? ready : pools
    return among[Math.floor(Math.random() * among.length)] as (typeof pools)[number]
  }

  async function post(
    { headers, body }: TortureEvent,
    abandonedAfter?: number,
  ): Promise<Answered | undefined> {
    const signal = abandonedAfter === undefined ? null : AbortSignal.timeout(abandonedAfter)
    let how = 'no response'
    const target = choose()
    try {
      const { pool, path } = target
      const response = await pool.request({ path, method: 'POST', headers, body, signal })
      const text = await response.body.text()
      how = String(response.statusCode)
      return { status: response.statusCode, body: json(text) }
    } catch (error) {
      how = reason(error)
      if (signal?.aborted !== true) target.avoidedUntil = performance.now() + AVOIDED
      return undefined
    } finally {
      requests.set(how, (requests.get(how) ?? 0) + 1)
    }
  }

  async function deliver(event: TortureEvent, entry: Sent, abandonedAfter?: number): Promise<void> {
    open++
    let response = await post(event, abandonedAfter)
    while (!closed && (response === undefined || !journal.settle(entry, response))) {
      await wait(SHORTEST_WAIT + Math.random() * (LONGEST_WAIT - SHORTEST_WAIT))
      response = await post(event)
    }
    open--
  }

  function launch(n: number): void {
    const event = eventAt(n, seed, token)
    const { copied, abandonedAfter, againAfter } = repeatsOf(n, seed)
    const entry = journal.open(event)
    if (copied) void deliver(event, entry)
    void deliver(event, entry, abandonedAfter).then(() => {
      if (againAfter !== undefined && entry.answeredAt !== undefined)
        again.push({ n, entry, due: performance.now() + againAfter })
    })
  }

  async function pace(): Promise<void> {
    let budget = 0
    let last = performance.now()
    for (let n = 0; sending; ) {
      const now = performance.now()
      // Events that could not be sent in time are not made up for later.
      budget = Math.min(budget + ((now - last) / 1000) * rate, rate / 10 + 1)
      last = now
      for (; budget >= 1 && open < MOST_OPEN; budget--) launch(n++)
      for (let next = again.peek(); next !== undefined && next.due <= now; next = again.peek()) {
        again.pop()
        void deliver(eventAt(next.n, seed, token), next.entry)
      }
      await wait(TICK)
    }
  }
  const pacing = pace()

  return {
    requests,
    async finish(within, signal) {
      sending = false
      await pacing
      const deadline = performance.now() + within
      while (open > 0 && performance.now() < deadline) await wait(TICK, undefined, { signal })
    },
    async close() {
      sending = false
      closed = true
      await pacing
      await Promise.all(pools.map(({ pool }) => pool.destroy()))
    },
  }
}

interface Answered {
  readonly status: number
  readonly body: { readonly [member: string]: unknown } | undefined
}

function json(text: string): Answered['body'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
