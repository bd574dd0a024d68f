import { setTimeout as wait } from 'node:timers/promises'
import type { Cxone } from './cxone.js'
import { type EventOptions, generateEvents } from './events.js'
import { acknowledgementFaults, responsesByEvent } from './faults.js'
import { followTopics, type ReadRecord } from './reader.js'
import { type Reconciliation, reconcile, scrape } from './reconcile.js'
import { TOPICS } from './routes.js'
import type { Sandbox } from './sandbox.js'
import { createSender, type Exchange, inParallel } from './sender.js'

interface DemoOptions extends EventOptions {
  /** Ends the demo. */
  readonly signal: AbortSignal
  onProgress(label: string, done: number, total: number): void
}

export interface DemoResult extends Reconciliation {
  readonly events: number
  readonly records: number
  readonly seconds: number
  readonly cxone: Pick<Cxone, 'responses' | 'tokensIssued'>
}

/** As many connections as a busy sender keeps open. */
const CONNECTIONS = 64
/** Milliseconds without progress after which the remaining acknowledgements count as missing. */
const ACKNOWLEDGE_TIMEOUT = 10_000
const POLL_EVERY = 50

/** Posts events to Headgate, waits until all are acknowledged, stops Headgate, and counts everything from outside. */
export async function runDemo(sandbox: Sandbox, options: DemoOptions): Promise<DemoResult> {
  const { kafka, cxone, headgate } = sandbox
  const startedAt = performance.now()
  const records: ReadRecord[] = []
  const reader = await followTopics(kafka.bootstrap, TOPICS, (record) => records.push(record))
  try {
    const exchanges = await postAll(sandbox, options)
    await allAcknowledged(exchanges, cxone, options)
    const metrics = await scrape(headgate.admin)
    const exit = await headgate.stop()
    await reader.caughtUp()
    return {
      ...reconcile({ exchanges, records, acknowledged: cxone.acknowledged, metrics, exit }),
      events: exchanges.length,
      records: records.length,
      seconds: (performance.now() - startedAt) / 1000,
      cxone,
    }
  } finally {
    await reader.close()
  }
}

async function postAll({ webhook, cxone }: Sandbox, options: DemoOptions): Promise<Exchange[]> {
  const postings = generateEvents(options)
  const sender = createSender(webhook, CONNECTIONS, options.signal)
  let done = 0
  try {
    return await inParallel(postings, CONNECTIONS, async (posting) => {
      const response = await sender.post(posting.event)
      options.onProgress('posted', ++done, postings.length)
      // Tokens also expire, but Headgate renews them before that. It learns of a revoked one only by a 401.
      if (done === Math.floor(postings.length / 2)) cxone.revokeTokens()
      return { posting, response }
    })
  } finally {
    await sender.close()
  }
}

/** Resolves when CXone has received every expected acknowledgement, or no more of them for a while. */
async function allAcknowledged(
  exchanges: readonly Exchange[],
  { acknowledged }: Cxone,
  { signal, onProgress }: DemoOptions,
): Promise<void> {
  const events = responsesByEvent(exchanges)
  let best = Number.POSITIVE_INFINITY
  let since = performance.now()
  while (performance.now() - since < ACKNOWLEDGE_TIMEOUT) {
    const missing = acknowledgementFaults(events, acknowledged).size
    onProgress('acknowledged', events.length - missing, events.length)
    if (missing === 0) return
    if (missing < best) since = performance.now()
    best = Math.min(best, missing)
    await wait(POLL_EVERY, undefined, { signal })
  }
}
