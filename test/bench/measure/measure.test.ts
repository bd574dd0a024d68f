import { expect, test } from 'vitest'
import { combine, type Driven } from '../../../bench/measure/measure.js'

const turn = (more: Partial<Driven> = {}): Driven => ({
  events: 1000,
  eventsPerSecond: 500,
  cpuPerEvent: 100,
  primaryCpuPerEvent: 90,
  busiestCpuPerEvent: 90,
  p50: 1,
  p99: 2,
  p999: 3,
  peakRss: 100,
  peakOwn: 80,
  backlog: { peak: 10, slope: { median: 0, min: -1, max: 1 } },
  generatorLoad: 0.1,
  lateP99: 0.2,
  queued: 0,
  refused: {},
  delays: new Map(),
  ...more,
})

test('what an event cost in all turns is what all of them cost together, by all events', () => {
  const { events, cpuPerEvent } = combine([turn(), turn({ events: 3000, cpuPerEvent: 200 })])
  expect({ events, cpuPerEvent }).toEqual({ events: 4000, cpuPerEvent: 175 })
})

test('the rate of all turns counts their time, and not each as much as the other', () => {
  // 2 s and 1 s.
  const { eventsPerSecond } = combine([turn(), turn({ eventsPerSecond: 1000 })])
  expect(eventsPerSecond).toBeCloseTo(2000 / 3)
})

test('latencies and the growth of the backlog are those of the middle turn, peaks those of the worst', () => {
  const growing = (by: number) => ({ median: by, min: by - 10, max: by + 10 })
  const parts = [
    turn({ p99: 9, peakOwn: 70, backlog: { peak: 12, slope: growing(20) } }),
    turn({ p99: 4, peakOwn: 95 }),
    turn({ p99: 5, backlog: { peak: 33, slope: growing(50) } }),
  ]
  expect(combine(parts)).toMatchObject({ p99: 5, peakOwn: 95, backlog: { peak: 33, slope: growing(20) } })
})

test('what was refused in any turn was refused', () => {
  const { refused } = combine([turn({ refused: { 503: 2 } }), turn(), turn({ refused: { 503: 1, 413: 1 } })])
  expect(refused).toEqual({ 503: 3, 413: 1 })
})
