import { hash } from 'node:crypto'
import TinyQueue from 'tinyqueue'
import { HeadgateError } from '../errors.js'
import type { Committed, Event, Outcome, Receipt } from '../plugin.js'
import type { Ledger, Pending } from './ledger.js'

export interface MemoryLedgerLimits {
  /** How long a redelivery is recognised, in milliseconds. */
  readonly window: number
  /** How many events are remembered; the oldest go first. */
  readonly entries: number
  /** How many acknowledgements may be owed before intake answers 503. */
  readonly maxPending: number
  /** How many post-commit stages an acknowledgement passes, in order. */
  readonly stages: number
}

interface Known {
  readonly receipt: Receipt
  readonly committedAt: number
}

/** Owed to the sender; `identity` finds it again, `stage` is the post-commit stage that it waits for. */
interface Owed extends Pending {
  readonly identity: string
}

type Durable = Extract<Outcome, { kind: 'delivered' | 'duplicate' | 'dead-lettered' }>

const isDurable = (outcome: Outcome): outcome is Durable =>
  outcome.kind === 'delivered' || outcome.kind === 'duplicate' || outcome.kind === 'dead-lettered'

/** The ledger of one process: what it knows is gone when the process ends. */
export function memoryLedger({ window, entries, maxPending, stages }: MemoryLedgerLimits): Ledger {
  const known = new Map<string, Known>()
  const running = new Map<string, Promise<Outcome>>()
  const owed = new Map<string, number>()
  const queues = Array.from({ length: stages }, () => new TinyQueue<Owed>([], (a, b) => a.dueAt - b.dueAt))
  const wakers: (() => void)[] = []

  const enqueue = (stage: number, pending: Owed): void => {
    queues[stage]?.push(pending)
    wakers[stage]?.()
  }
  const owe = (identity: string, committed: Committed): void => {
    if (stages === 0 || owed.has(identity)) return
    const now = Date.now()
    owed.set(identity, now)
    enqueue(0, { identity, committed, committedAt: now, attempts: 0, dueAt: now })
  }
  const remember = (identity: string, receipt: Receipt): void => {
    known.set(identity, { receipt, committedAt: Date.now() })
    if (known.size > entries) known.delete(known.keys().next().value as string)
  }
  const recall = (identity: string): Known | undefined => {
    const entry = known.get(identity)
    if (entry !== undefined && Date.now() - entry.committedAt > window) {
      known.delete(identity)
      return undefined
    }
    return entry
  }
  const settle = (event: Event, identity: string, outcome: Outcome): void => {
    if (isDurable(outcome)) {
      remember(identity, outcome.receipt)
      owe(identity, committed(event, outcome.receipt))
    } else if (outcome.kind === 'dropped') {
      owe(identity, committed(event))
    }
  }

  return {
    async once(event, deliver) {
      const identity = identify(event)
      const before = recall(identity)
      if (before !== undefined) {
        owe(identity, committed(event, before.receipt))
        return { kind: 'duplicate', id: event.id, receipt: before.receipt }
      }
      const twin = running.get(identity)
      if (twin !== undefined) return asDuplicate(await twin)
      if (owed.size + running.size >= maxPending && stages > 0) return full(event, maxPending)
      const run = deliver()
      running.set(identity, run)
      const outcome = await run
      running.delete(identity)
      settle(event, identity, outcome)
      return outcome
    },
    take(stage, now) {
      const queue = queues[stage]
      const first = queue?.peek()
      return first !== undefined && first.dueAt <= now ? queue?.pop() : undefined
    },
    acknowledged(stage, pending) {
      if (stage + 1 < stages) enqueue(stage + 1, { ...(pending as Owed), attempts: 0, dueAt: Date.now() })
      else owed.delete((pending as Owed).identity)
    },
    retry: (stage, pending, dueAt) =>
      enqueue(stage, { ...(pending as Owed), attempts: pending.attempts + 1, dueAt }),
    failed: (_stage, pending) => owed.delete((pending as Owed).identity),
    dueAt: (stage) => queues[stage]?.peek()?.dueAt,
    onAdded: (stage, wake) => {
      wakers[stage] = wake
    },
    backlog: () => ({ count: owed.size, oldest: owed.values().next().value }),
  }
}

/** Same id and same bytes: the same event. An id alone may name a definition that many events share. */
const identify = ({ id, body }: Event): string => `${hash('sha256', body.bytes, 'base64')} ${id}`

const committed = ({ id, traceparent }: Event, receipt?: Receipt): Committed => ({
  id,
  ...(receipt !== undefined && { receipt }),
  ...(traceparent !== undefined && { traceparent }),
})

const asDuplicate = (outcome: Outcome): Outcome =>
  isDurable(outcome) ? { ...outcome, kind: 'duplicate' } : outcome

const full = ({ id }: Event, maxPending: number): Outcome => ({
  kind: 'unavailable',
  id,
  error: new HeadgateError('HG_LEDGER_FULL', `${maxPending} events wait to be acknowledged to their sender.`),
})
