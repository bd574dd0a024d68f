import type { Event, Outcome } from '../src/contract/index.js'
import { committed } from '../src/ledger/committed.js'
import type { durableLedger as replaced } from '../src/ledger/durable-ledger.js'
import type { Ledger, Pending } from '../src/ledger/ledger.js'
import { LEDGER_REPLACED } from './without-ledger.js'

console.log(LEDGER_REPLACED)

/**
 * No digest, no index, no disk, no redelivery recognised: a queue in memory between the path of events and the
 * acknowledgements, without which there would be none. Only good for finding out what the real one costs.
 */
export const durableLedger: typeof replaced = ({ stages }): Ledger => {
  const wakers: (() => void)[] = []
  const queues = Array.from({ length: stages }, createQueue)
  let owed = 0

  function add(pending: Pending): void {
    queues[pending.stage]?.push(pending)
    wakers[pending.stage]?.()
  }
  function settle(event: Event, outcome: Outcome): void {
    if (outcome.kind === 'rejected' || outcome.kind === 'unavailable' || stages === 0) return
    const done = committed(event, outcome.kind === 'dropped' ? undefined : outcome.receipt)
    owed++
    const now = Date.now()
    add({ committed: done, committedAt: now, stage: 0, attempts: 0, dueAt: now })
  }

  return {
    start: async () => {},
    stop: async () => {},
    notReady: () => [],
    ready: async () => {},
    async once(event, deliver) {
      const outcome = await deliver('')
      settle(event, outcome)
      return outcome
    },
    now: () => Date.now(),
    take(stage, now) {
      const first = queues[stage]?.peek()
      if (first === undefined || first.dueAt > now) return undefined
      queues[stage]?.shift()
      return first
    },
    acknowledged(pending) {
      if (pending.stage + 1 < stages) add({ ...pending, stage: pending.stage + 1, attempts: 0 })
      else owed--
    },
    retry: (pending, dueAt) => add({ ...pending, attempts: pending.attempts + 1, dueAt }),
    failed() {
      owed--
    },
    written: () => undefined,
    dueAt: (stage) => queues[stage]?.peek()?.dueAt,
    refill: async () => {},
    onAdded(stage, wake) {
      wakers[stage] = wake
    },
    backlog: () => ({
      count: owed,
      oldestAge: 0,
      failed: 0,
      remembersFor: 0,
      replacedPartitions: 0,
      unprovenRecords: 0,
      sameIdOtherBytes: 0,
    }),
    meet: async () => {},
    canMoveTo: () => true,
    change() {},
    report: async () => ({
      pending: [],
      failed: { count: 0, first: [] },
      partitions: [],
      remembersSince: Date.now(),
    }),
    partitions: () => [],
    retryFailed: () => 0,
  }
}

interface Queue {
  push(pending: Pending): void
  peek(): Pending | undefined
  shift(): void
}

/** First in, first out. Taking from the front of an array would move all the others, so that is done now and then. */
function createQueue(): Queue {
  let items: Pending[] = []
  let head = 0
  return {
    push: (pending) => void items.push(pending),
    peek: () => items[head],
    shift() {
      head++
      if (head < items.length / 2) return
      items = items.slice(head)
      head = 0
    },
  }
}
