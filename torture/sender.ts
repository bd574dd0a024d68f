import { setTimeout as wait } from 'node:timers/promises'
import TinyQueue from 'tinyqueue'
import { Pool } from 'undici'
import { eventAt, repeatsOf, type TortureEvent } from './events.js'
import type { Journal, Sent } from './journal.js'

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

/** The webhook of an instance, with the connections to it. */
interface Target {
  readonly pool: Pool
  readonly path: string
  takesEvents(): boolean
  avoidedUntil: number
}

/** A sender that keeps every event until it has a response, and posts some of them again. Sends from the start. */
export class Sender {
  /** The number of requests by result: a status, or the reason why there was none. */
  readonly requests = new Map<string, number>()
  readonly #options: SenderOptions
  readonly #journal: Journal
  readonly #targets: readonly Target[]
  /** Redeliveries by when they are due. */
  readonly #again = new TinyQueue<{ readonly n: number; readonly entry: Sent; readonly due: number }>(
    [],
    (a, b) => a.due - b.due,
  )
  #open = 0
  #isSending = true
  #isClosed = false
  readonly #pacing: Promise<void>

  constructor(options: SenderOptions, journal: Journal) {
    this.#options = options
    this.#journal = journal
    this.#targets = options.targets.map(({ url, takesEvents }) => {
      const { origin, pathname: path } = new URL(url)
      const timeouts = { headersTimeout: PATIENCE, bodyTimeout: PATIENCE }
      const pool = new Pool(origin, { connections: CONNECTIONS, ...timeouts })
      return { pool, path, takesEvents, avoidedUntil: 0 }
    })
    this.#pacing = this.#pace()
  }

  /** Sends no new events from now on. Resolves when all sent ones have responses, or after `within` milliseconds. */
  async finish(within: number, signal: AbortSignal): Promise<void> {
    this.#isSending = false
    await this.#pacing
    const deadline = performance.now() + within
    while (this.#open > 0 && performance.now() < deadline) await wait(TICK, undefined, { signal })
  }

  /** Ends at once. */
  async close(): Promise<void> {
    this.#isSending = false
    this.#isClosed = true
    await this.#pacing
    await Promise.all(this.#targets.map(({ pool }) => pool.destroy()))
  }

  async #pace(): Promise<void> {
    const { rate, seed, token } = this.#options
    let budget = 0
    let last = performance.now()
    for (let n = 0; this.#isSending; ) {
      const now = performance.now()
      // Events that could not be sent in time are not made up for later.
      budget = Math.min(budget + ((now - last) / 1000) * rate, rate / 10 + 1)
      last = now
      for (; budget >= 1 && this.#open < MOST_OPEN; budget--) this.#launch(n++)
      const again = this.#again
      for (let next = again.peek(); next !== undefined && next.due <= now; next = again.peek()) {
        again.pop()
        void this.#deliver(eventAt(next.n, seed, token), next.entry)
      }
      await wait(TICK)
    }
  }

  #launch(n: number): void {
    const { seed, token } = this.#options
    const event = eventAt(n, seed, token)
    const { copied, abandonedAfter, againAfter } = repeatsOf(n, seed)
    const entry = this.#journal.open(event)
    if (copied) void this.#deliver(event, entry)
    void this.#deliver(event, entry, abandonedAfter).then(() => {
      if (againAfter !== undefined && entry.answeredAt !== undefined)
        this.#again.push({ n, entry, due: performance.now() + againAfter })
    })
  }

  async #deliver(event: TortureEvent, entry: Sent, abandonedAfter?: number): Promise<void> {
    this.#open++
    let response = await this.#post(event, abandonedAfter)
    while (!this.#isClosed && (response === undefined || !this.#journal.settle(entry, response))) {
      await wait(SHORTEST_WAIT + Math.random() * (LONGEST_WAIT - SHORTEST_WAIT))
      response = await this.#post(event)
    }
    this.#open--
  }

  async #post({ headers, body }: TortureEvent, abandonedAfter?: number): Promise<Answered | undefined> {
    const signal = abandonedAfter === undefined ? null : AbortSignal.timeout(abandonedAfter)
    let how = 'no response'
    const target = this.#choose()
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
      this.requests.set(how, (this.requests.get(how) ?? 0) + 1)
    }
  }

  /** Any that takes events, so that copies of an event reach several. */
  #choose(): Target {
    const ready = this.#targets.filter(
      ({ takesEvents, avoidedUntil }) => takesEvents() && performance.now() > avoidedUntil,
    )
    const among = ready.length > 0 ? ready : this.#targets
    return among[Math.floor(Math.random() * among.length)] as Target
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
