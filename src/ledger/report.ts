import type { Position } from '../contract/index.js'
import type { LedgerReport, PartitionProgress } from './ledger.js'
import type { FailedAck } from './rows.js'
import type { LedgerStore } from './store.js'

const MINUTE = 60_000
const AGES = [
  ['under 1 minute', MINUTE],
  ['1 to 10 minutes', 10 * MINUTE],
  ['10 to 60 minutes', 60 * MINUTE],
  ['1 to 24 hours', 24 * 60 * MINUTE],
  ['over 24 hours', Number.POSITIVE_INFINITY],
] as const

/** Failed acknowledgements that are listed one by one. */
const LISTED = 100

/** Its times are those of the wall clock, because people read them. */
export async function ledgerReport(store: LedgerStore): Promise<LedgerReport> {
  const now = store.clock.now()
  const wall = (time: number): number => Date.now() - Math.max(0, now - time)
  const failures = store.failed.all()
  const partitions = partitionProgress(store)
  const ages = new PendingAges(now)
  for await (const times of store.pending.committedTimes()) for (const time of times) ages.count(time)
  return {
    pending: ages.all(),
    failed: { count: failures.length, first: listed(failures, wall) },
    partitions,
    remembersSince: wall(store.indexedSince),
  }
}

/** Counts pending acknowledgements by the age of their event. */
export class PendingAges {
  readonly #now: number
  readonly #counts = AGES.map(() => 0)

  constructor(now: number) {
    this.#now = now
  }

  count(committedAt: number, events = 1): void {
    const age = AGES.findIndex(([, below]) => this.#now - committedAt < below)
    this.#counts[age] = (this.#counts[age] ?? 0) + events
  }

  all(): LedgerReport['pending'] {
    return AGES.map(([age], at) => ({ age, count: this.#counts[at] ?? 0 }))
  }
}

/** The oldest failed acknowledgements. `wall` converts a time of the clock of the ledger. */
export const listed = (
  failures: readonly (Pick<FailedAck, 'committed' | 'reason' | 'failedAt'> & {
    readonly position?: Position
  })[],
  wall: (time: number) => number,
): LedgerReport['failed']['first'] =>
  failures.slice(0, LISTED).map(({ committed: { id, receipt }, reason, failedAt, position }) => ({
    id,
    ...(position !== undefined && { position }),
    ...(receipt !== undefined && { receipt }),
    reason,
    failedAt: wall(failedAt),
  }))

export const partitionProgress = (store: LedgerStore): PartitionProgress[] =>
  store.acknowledgedUpTo().map(({ topic, partition, offset }) => ({
    topic,
    partition,
    known: store.checkpoint(topic, partition) ?? 0,
    acknowledged: offset,
  }))

/** Redacts the reasons of failures: a plugin may have put its settings into them. */
export const withoutSecrets = (
  { failed, ...report }: LedgerReport,
  redact: (text: string) => string,
): LedgerReport => ({
  ...report,
  failed: {
    ...failed,
    first: failed.first.map(({ reason: { code, message }, ...rest }) => ({
      ...rest,
      reason: { code, message: redact(message) },
    })),
  },
})
