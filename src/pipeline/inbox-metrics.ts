import type { MetricDeclaration } from '../contract/index.js'
import type { InboxState } from '../inbox/inbox-ledger.js'
import type { WorkOffObserver } from '../inbox/work-off.js'
import type { MetricsScope } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'

/** Shows the inbox of a pipeline, or the topics of its source together; nothing is computed before a scrape. */
export function showInbox(
  pipeline: string,
  metrics: MetricsScope,
  states: () => readonly InboxState[],
): void {
  const all = <Value>(of: (state: InboxState) => Value): Value[] => states().map(of)
  const valuesOf = (of: (state: InboxState) => number | undefined) => all(of).flatMap((value) => value ?? [])
  const show = (metric: MetricDeclaration<'pipeline'>, read: () => number | undefined) =>
    metrics.sampled(metric, { pipeline }, read)

  show(METRICS.inboxPartitionsInUse, () => {
    const counts = valuesOf(({ inUse }) => inUse)
    return counts.length === states().length ? sum(counts) : undefined
  })
  show(METRICS.inboxPartitions, () => sum(all(({ owned }) => owned)))
  show(METRICS.inboxRestoringPartitions, () => sum(all(({ restoring }) => restoring)))
  show(METRICS.inboxLag, () => sum(all(({ lag }) => lag)))
  show(METRICS.inboxOldestSeconds, () => {
    const now = Date.now()
    return Math.max(0, ...valuesOf(({ oldestAt }) => oldestAt && now - oldestAt)) / 1000
  })
  show(METRICS.inboxRetentionSeconds, () => {
    const times = valuesOf(({ retention }) => retention)
    return times.length === 0 ? undefined : Math.min(...times) / 1000
  })
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

/** Counts what happens to the partitions of an instance. */
export function inboxObserver(pipeline: string, metrics: MetricsScope): WorkOffObserver {
  const rebalance = (change: 'assigned' | 'revoked') =>
    metrics.counter(METRICS.inboxRebalancesTotal, { pipeline, change })
  const [assigned, revoked] = [rebalance('assigned'), rebalance('revoked')]
  const results = ['committed', 'fenced', 'refused', 'unavailable'] as const
  const transactions = new Map(
    results.map((result) => [result, metrics.counter(METRICS.inboxTransactionsTotal, { pipeline, result })]),
  )
  const duration = metrics.histogram(METRICS.inboxTransactionDurationSeconds, { pipeline })
  return {
    assigned: () => assigned.inc(),
    revoked: () => revoked.inc(),
    transaction(result, milliseconds) {
      transactions.get(result)?.inc()
      duration.observe(milliseconds / 1000)
    },
  }
}
