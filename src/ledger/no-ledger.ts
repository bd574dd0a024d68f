import { digestOf } from './digest.js'
import type { Ledger } from './ledger.js'

const NOTHING = {
  pending: [],
  failed: { count: 0, first: [] },
  partitions: [],
  remembersSince: 0,
} as const

/** Remembers no event and owes nothing: where there is another ledger that does, or nothing is written. */
export const noLedger: Ledger = {
  async start() {},
  async stop() {},
  notReady: () => [],
  async ready() {},
  once: (event, deliver, digest = digestOf(event.body.bytes)) => deliver(digest),
  now: () => Date.now(),
  written: () => undefined,
  take: () => undefined,
  acknowledged() {},
  retry() {},
  failed() {},
  dueAt: () => undefined,
  async refill() {},
  onAdded() {},
  backlog: () => ({
    count: 0,
    oldestAge: 0,
    failed: 0,
    remembersFor: 0,
    replacedPartitions: 0,
    unprovenRecords: 0,
    sameIdOtherBytes: 0,
  }),
  async meet() {},
  canMoveTo: () => true,
  change() {},
  report: async () => NOTHING,
  partitions: () => [],
  retryFailed: () => 0,
}
