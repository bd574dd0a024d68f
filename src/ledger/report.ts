import type { KnownPartition, LedgerReport } from './ledger.js'
import type { PipelineState } from './store.js'

const MINUTE = 60_000
const AGES = [
  ['under 1 minute', MINUTE],
  ['1 to 10 minutes', 10 * MINUTE],
  ['10 to 60 minutes', 60 * MINUTE],
  ['1 to 24 hours', 24 * 60 * MINUTE],
  ['over 24 hours', Number.POSITIVE_INFINITY],
] as const

/** Failed acknowledgements that are shown one by one. */
const SHOWN = 100

/** Its times are shown to people, and so are those of the wall clock. */
export async function ledgerReport(state: PipelineState): Promise<LedgerReport> {
  const now = state.clock.now()
  const wall = (time: number): number => Date.now() - Math.max(0, now - time)
  const failures = state.failures.all()
  const partitions = knownPartitions(state)
  const counts = AGES.map(() => 0)
  for await (const times of state.committedTimes()) {
    for (const committedAt of times) {
      const age = AGES.findIndex(([, below]) => now - committedAt < below)
      counts[age] = (counts[age] ?? 0) + 1
    }
  }
  return {
    pending: AGES.map(([age], at) => ({ age, count: counts[at] ?? 0 })),
    failed: {
      count: failures.length,
      first: failures.slice(0, SHOWN).map(({ committed: { id, receipt }, reason, failedAt }) => ({
        id,
        ...(receipt !== undefined && { receipt }),
        reason,
        failedAt: wall(failedAt),
      })),
    },
    partitions,
    remembersSince: wall(state.remembersSince()),
  }
}

export const knownPartitions = (state: PipelineState): KnownPartition[] =>
  state.acknowledgedUpTo().map(({ topic, partition, offset }) => ({
    topic,
    partition,
    known: state.checkpoint(topic, partition) ?? 0,
    acknowledged: offset,
  }))

/** A plugin may have put what it was given into the reason why it gave up. */
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
