import { expect, test } from 'vitest'
import { pipelineTraffic, TRAFFIC_METRICS } from '../../src/admin/traffic.js'
import { metric } from '../../src/contract/index.js'
import { History } from '../../src/metrics/history.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { METRICS } from '../../src/metrics/table.js'
import type { Runtime } from '../../src/pipeline/pipeline.js'

const RULES = metric({ name: 'rule_matches_total', type: 'counter', help: 'x', labels: { rule: [] } })

function traffic() {
  const metrics = new ProcessMetrics()
  let now = 0
  const history = new History(
    () => metrics.read([...TRAFFIC_METRICS, RULES]),
    () => now,
  )
  const pipelines = ['orders', 'returns'].map((name) => ({
    name,
    runtime: { targetState: name === 'orders' ? 'RUNNING' : 'PAUSED' } as Runtime,
  }))
  return {
    metrics,
    pass(seconds: number) {
      now += seconds * 1000
      history.sample()
    },
    of: (name: string, newPoints = 180) =>
      pipelineTraffic(history, pipelines, newPoints).find(({ pipeline }) => pipeline === name),
  }
}

const orders = { pipeline: 'orders' }

test('events have their rate lately, and their count in 15 minutes', () => {
  const { metrics, pass, of } = traffic()
  const delivered = metrics.counter(METRICS.eventsTotal, { ...orders, outcome: 'delivered' })
  delivered.inc(1000)
  pass(5)
  delivered.inc(20)
  pass(5)
  delivered.inc(30)
  pass(5)
  expect(of('orders')?.outcomes.delivered).toEqual({ rate: 5, count: 1050 })
  expect(of('orders')?.points.outcomes.delivered).toEqual([1000, 20, 30])
  expect(of('orders')?.points.outcomes.rejected).toEqual([0, 0, 0])
  expect(of('orders', 1)?.points.outcomes.delivered).toEqual([30])
  expect(of('returns')).toMatchObject({ state: 'PAUSED', outcomes: { delivered: { rate: 0, count: 0 } } })
})

test('stages have their outcomes and times, rules their events', () => {
  const { metrics, pass, of } = traffic()
  const stage = { ...orders, stage: 'transform.0.route', plugin: 'route' }
  metrics.counter(METRICS.stageEventsTotal, { ...stage, outcome: 'passed' }).inc(10)
  for (let event = 0; event < 10; event++)
    metrics.histogram(METRICS.stageDurationSeconds, stage).observe(0.005)
  metrics.counter(RULES, { ...orders, rule: 'eu' } as never).inc(7)
  metrics.counter(RULES, { ...orders, rule: 'us' } as never)
  pass(10)
  expect(of('orders')).toMatchObject({
    stages: { 'transform.0.route': { outcomes: { passed: { rate: 1, count: 10 } }, latency: { p50: 5.5 } } },
  })
  expect(of('orders')?.rules).toEqual({ eu: { rate: 0.7, count: 7 } })
})

test('times are those of the last minute, and absent if it had no event', () => {
  const { metrics, pass, of } = traffic()
  metrics.histogram(METRICS.commitDurationSeconds, orders).observe(0.004)
  pass(5)
  expect(of('orders')?.latency?.p99).toBeCloseTo(4.97)
  for (let point = 0; point < 12; point++) pass(5)
  expect(of('orders')?.latency).toBeNull()
  expect(of('orders')?.points.p99.slice(0, 2)).toEqual([4.97, null])
})

test('events in flight have their limit; a source without one has the limit 0', () => {
  const { metrics, pass, of } = traffic()
  metrics.sampled(METRICS.inflightEvents, orders, () => 12)
  metrics.sampled(METRICS.inflightEventsLimit, orders, () => 500)
  pass(5)
  expect(of('orders')).toMatchObject({ inFlight: 12, inFlightLimit: 500 })
  expect(of('returns')).toMatchObject({ inFlight: 0, inFlightLimit: 0 })
})

test('dead letters, responses and acknowledgements are counted by their reason', () => {
  const { metrics, pass, of } = traffic()
  const letter = { ...orders, stage: 'transform.0.json-schema' }
  metrics.counter(METRICS.deadLettersTotal, { ...letter, code: 'HG_SCHEMA_VIOLATION' }).inc(2)
  metrics.counter(METRICS.deadLettersTotal, { ...letter, code: 'HG_ROUTE_NO_MATCH' })
  metrics.counter(METRICS.httpResponsesTotal, { ...orders, code: '401' }).inc(3)
  metrics.counter(METRICS.ackAttemptsTotal, { ...orders, outcome: 'retry' }).inc(4)
  metrics.sampled(METRICS.ledgerPending, orders, () => 12)
  metrics.sampled(METRICS.ledgerPendingLimit, orders, () => 100)
  pass(10)
  const found = of('orders')
  expect(found?.deadLetters).toEqual([
    { stage: 'transform.0.json-schema', code: 'HG_SCHEMA_VIOLATION', count: 2 },
  ])
  expect(found?.responses).toEqual({ '401': { rate: 0.3, count: 3 } })
  expect(found?.acknowledgements).toMatchObject({
    attempts: { retry: { rate: 0.4, count: 4 }, acknowledged: { rate: 0, count: 0 } },
    pending: 12,
    pendingLimit: 100,
  })
  expect(found?.points.pending).toEqual([12])
})
