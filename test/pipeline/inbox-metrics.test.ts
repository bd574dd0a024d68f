import { expect, test } from 'vitest'
import type { InboxState } from '../../src/inbox/inbox-ledger.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { showInbox } from '../../src/pipeline/inbox-metrics.js'

const IDLE: InboxState = {
  inUse: 3,
  owned: 2,
  restoring: 0,
  lag: 0,
  oldestAt: undefined,
  retention: undefined,
}

/** The gauges of a pipeline by their names. */
async function shown(states: readonly Partial<InboxState>[]): Promise<{ [name: string]: number }> {
  const metrics = new ProcessMetrics()
  const scope = metrics.scope()
  showInbox('orders', scope, () => states.map((state) => ({ ...IDLE, ...state })))
  scope.show()
  const text = await metrics.registry.metrics()
  const samples = text.matchAll(/^headgate_inbox_(\w+)\{pipeline="orders"\} (.+)$/gm)
  return Object.fromEntries([...samples].map(([, name, value]) => [name, Number(value)]))
}

test('an inbox in which nothing waits has age 0, and no retention if none is known', async () => {
  expect(await shown([{}])).toEqual({
    partitions_in_use: 3,
    partitions: 2,
    restoring_partitions: 0,
    lag_events: 0,
    oldest_seconds: 0,
  })
})

test('topics of one source are shown together: the sum of their parts, the oldest event, the shortest retention', async () => {
  const now = Date.now()
  const gauges = await shown([
    { lag: 4, oldestAt: now - 90_000, retention: 604_800_000 },
    { lag: 1, oldestAt: now - 30_000, retention: 86_400_000, inUse: 5, owned: 1, restoring: 1 },
    { oldestAt: now + 60_000 },
  ])
  expect(gauges).toMatchObject({
    partitions_in_use: 11,
    partitions: 5,
    restoring_partitions: 1,
    lag_events: 5,
    retention_seconds: 86_400,
  })
  expect(gauges['oldest_seconds']).toBeGreaterThanOrEqual(90)
})

test('as long as one of the topics is not joined, the number of partitions in use is not shown', async () => {
  expect(await shown([{}, { inUse: undefined }])).not.toHaveProperty('partitions_in_use')
})
