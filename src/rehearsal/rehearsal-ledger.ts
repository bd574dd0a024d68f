import { committed } from '../pipeline/ledger/committed.js'
import { digestOf } from '../pipeline/ledger/digest.js'
import type { Ledger } from '../pipeline/ledger/ledger.js'
import type { Committed } from '../plugin.js'

const NOTHING = {
  pending: [],
  failed: { count: 0, first: [] },
  partitions: [],
  remembersSince: 0,
} as const

/**
 * Remembers no event from one run to the next, and owes nothing: what would be owed is told to `owe`. It never has
 * anything to give to an acknowledger.
 */
export const rehearsalLedger = (owe: (committed: Committed) => void): Ledger => ({
  async start() {},
  async stop() {},
  notReady: () => [],
  async once(event, deliver) {
    const outcome = await deliver(digestOf(event.body.bytes))
    if (outcome.kind === 'dropped') owe(committed(event))
    else if ('receipt' in outcome) owe(committed(event, outcome.receipt))
    return outcome
  },
  take: () => undefined,
  acknowledged() {},
  retry() {},
  failed() {},
  dueAt: () => undefined,
  async refill() {},
  onAdded() {},
  backlog: () => ({ count: 0, oldest: undefined, failed: 0, remembersSince: 0 }),
  async meet() {},
  canMoveTo: () => true,
  change() {},
  report: () => NOTHING,
  retryFailed: () => 0,
})
