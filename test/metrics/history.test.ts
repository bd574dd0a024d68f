import { expect, test } from 'vitest'
import { metric } from '../../src/contract/index.js'
import { History, POINTS } from '../../src/metrics/history.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'

const EVENTS = metric({ name: 'events_total', type: 'counter', help: 'x', labels: { pipeline: [] } })
const TIMES = metric({
  name: 'times',
  type: 'histogram',
  help: 'x',
  labels: { pipeline: [] },
  buckets: [1, 2],
})
const PENDING = metric({ name: 'pending', type: 'gauge', help: 'x', labels: { pipeline: [] } })
const orders = { pipeline: 'orders' }

function recording() {
  const metrics = new ProcessMetrics()
  let now = 0
  const history = new History(
    () => metrics.read([EVENTS, TIMES, PENDING]),
    () => now,
  )
  const sample = (seconds = 5) => {
    now += seconds * 1000
    history.sample()
  }
  const of = (name: string) => history.series().find(({ declaration }) => declaration.name === name)
  return { metrics, history, sample, of, pass: (seconds: number) => (now += seconds * 1000) }
}

test('a point has the counts of its own seconds', () => {
  const { metrics, sample, of } = recording()
  const events = metrics.counter(EVENTS, orders)
  events.inc(3)
  sample()
  events.inc(4)
  sample()
  sample()
  expect([2, 1, 0].map((ago) => of('events_total')?.point(ago))).toEqual([[3], [4], [0]])
  expect(of('events_total')?.point(7)).toEqual([0])
})

test('recent counts include those since the newest point', () => {
  const { metrics, history, sample, of, pass } = recording()
  const events = metrics.counter(EVENTS, orders)
  for (const count of [100, 10, 1]) {
    events.inc(count)
    sample()
  }
  events.inc(5)
  pass(2)
  expect(of('events_total')?.recent(2)).toEqual([16])
  expect(of('events_total')?.all()).toEqual([116])
  expect(history.seconds(2)).toBe(12)
})

test('it forgets what is older than 15 minutes', () => {
  const { metrics, history, sample, of } = recording()
  const events = metrics.counter(EVENTS, orders)
  events.inc(1000)
  sample()
  for (let point = 0; point < POINTS; point++) {
    events.inc()
    sample()
  }
  expect(of('events_total')?.all()).toEqual([POINTS])
  expect(of('events_total')?.point(POINTS - 1)).toEqual([1])
  expect(history.points).toBe(POINTS + 1)
})

test('of a histogram it has each bucket and the sum, of a gauge the value', () => {
  const { metrics, sample, of } = recording()
  const times = metrics.histogram(TIMES, orders)
  let pending = 7
  metrics.sampled(PENDING, orders, () => pending)
  times.observe(0.5)
  times.observe(3)
  sample()
  pending = 2
  sample()
  pending = 4
  expect(of('times')?.point(1)).toEqual([1, 0, 1, 3.5])
  expect([of('pending')?.point(1), of('pending')?.point(0), of('pending')?.all()]).toEqual([[7], [2], [4]])
})

test('the counts of other processes are part of it', () => {
  const { metrics, sample, of } = recording()
  metrics.counter(EVENTS, orders).inc()
  const worker = new ProcessMetrics()
  worker.counter(EVENTS, orders).inc(9)
  metrics.add(worker.take(), () => metrics)
  sample()
  expect(of('events_total')?.point(0)).toEqual([10])
})

test('a part that is replaced begins at 0 without a negative count, and one that is gone is forgotten', () => {
  const { metrics, history, sample, of } = recording()
  const first = metrics.scope()
  first.counter(EVENTS, orders).inc(8)
  sample()
  first.close()
  const second = metrics.scope()
  second.counter(EVENTS, orders).inc(2)
  sample()
  expect(of('events_total')?.point(0)).toEqual([2])
  second.close()
  sample()
  expect(history.series()).toEqual([])
})
