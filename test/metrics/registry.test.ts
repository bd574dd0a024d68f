import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metric } from '../../src/contract/index.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'

const LABELS = { pipeline: 'orders' }
const labels = { pipeline: [] }
const EVENTS = metric({ name: 'events_total', type: 'counter', help: 'Events.', labels })
const DURATION = metric({
  name: 'duration_seconds',
  type: 'histogram',
  help: 'Durations.',
  labels,
  buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
})
const RESPONSES = metric({ name: 'answers_total', type: 'counter', help: 'Answers.', labels })
const INFLIGHT = metric({ name: 'inflight', type: 'gauge', help: 'In flight.', labels })
const EXPIRY = metric({ name: 'expiry', type: 'gauge', help: 'Expiry.', labels, combine: 'max' })
const counterOf = (metrics: ProcessMetrics) => metrics.counter(EVENTS, LABELS)
const durationOf = (metrics: ProcessMetrics) => metrics.histogram(DURATION, LABELS)
/** Without the sum: floating-point numbers that are added in another order may differ in their last digit. */
const shown = async ({ registry }: ProcessMetrics) => (await registry.metrics()).replace(/^.*_sum\{.*$/gm, '')

test('what several processes count is what one would have counted, percentiles included', async () => {
  const observations = fc.array(fc.tuple(fc.nat(2), fc.double({ min: 0, max: 400, noNaN: true })))
  await fc.assert(
    fc.asyncProperty(observations, async (all) => {
      const [one, total] = [new ProcessMetrics(), new ProcessMetrics()]
      for (const metrics of [one, total]) {
        counterOf(metrics)
        durationOf(metrics)
      }
      const workers = [new ProcessMetrics(), new ProcessMetrics(), new ProcessMetrics()]
      for (const [index, seconds] of all) {
        for (const metrics of [one, workers[index] as ProcessMetrics]) {
          counterOf(metrics).inc()
          durationOf(metrics).observe(seconds)
        }
        // Reports come at any time, and each says what is new since the one before.
        if (index === 0) for (const worker of workers) total.add(worker.take(), () => undefined)
      }
      for (const worker of workers) total.add(worker.take(), () => undefined)
      expect(await shown(total)).toBe(await shown(one))
    }),
    { numRuns: 50 },
  )
})

test('nothing that was counted is told twice', () => {
  const metrics = new ProcessMetrics()
  counterOf(metrics).inc(3)
  expect(metrics.take()).toMatchObject([{ declaration: EVENTS, labels: LABELS, values: [3] }])
  expect(metrics.take()).toEqual([])
})

test('a series that is new is shown where somebody shows it, and counted nowhere else', async () => {
  const [worker, primary] = [new ProcessMetrics(), new ProcessMetrics()]
  counterOf(primary)
  for (const pipeline of ['orders', 'gone']) worker.counter(RESPONSES, { pipeline }).inc()
  primary.add(worker.take(), ({ pipeline }) => (pipeline === 'orders' ? primary : undefined))
  const text = await primary.registry.metrics()
  expect(text).toContain('headgate_answers_total{pipeline="orders"} 1')
  expect(text).not.toContain('gone')
})

test('gauges of other processes are added to those of this one', async () => {
  const metrics = new ProcessMetrics()
  metrics.sampled(INFLIGHT, LABELS, () => 2)
  metrics.alsoShow(() => [
    { name: 'inflight', labels: LABELS, value: 3 },
    { name: 'inflight', labels: LABELS, value: 4 },
    { name: 'nobody_knows', labels: {}, value: 1 },
  ])
  const text = await metrics.registry.metrics()
  expect(text).toContain('headgate_inflight{pipeline="orders"} 9')
  expect(text).not.toContain('nobody_knows')
})

test('a gauge whose sum would say nothing shows the greatest of all processes', async () => {
  const metrics = new ProcessMetrics()
  metrics.gauge(EXPIRY).set(LABELS, 5)
  const others = [2, 7, 3].map((value) => ({ name: 'expiry', labels: LABELS, value }))
  metrics.alsoShow(() => others)
  expect(await metrics.registry.metrics()).toContain('headgate_expiry{pipeline="orders"} 7')
  others.length = 0
  expect(await metrics.registry.metrics()).toContain('headgate_expiry{pipeline="orders"} 5')
})
