import { expect, test } from 'vitest'
import { doubtsOf, ratioOf, summarize, summarizeRest } from '../../../bench/measure/figures.js'
import type { Sample } from '../../../bench/measure/measure.js'

const still = { median: 0, min: -1, max: 1 }

const sample = (program: string, cpuPerEvent: number, more: Partial<Sample> = {}): Sample => ({
  program,
  load: 'saturation',
  round: 0,
  cpuPerEvent,
  primaryCpuPerEvent: cpuPerEvent,
  busiestCpuPerEvent: cpuPerEvent,
  events: 1000,
  eventsPerSecond: 500,
  p50: 1,
  p99: 2,
  p999: 3,
  peakRss: 100,
  peakOwn: 80,
  backlog: { peak: 10, slope: still },
  generatorLoad: 0.1,
  lateP99: 0.2,
  queued: 0,
  refused: {},
  delays: new Map(),
  ...more,
})

test('a summary has the median, the lowest and the highest of the rounds of one program under one load', () => {
  const samples = [
    sample('floor', 90),
    sample('headgate', 1),
    sample('floor', 5, { load: '1,000/s' }),
    sample('floor', 60),
    sample('floor', 75),
  ]

  const { figures } = summarize(samples, 'saturation', 'floor')

  expect(figures.cpuPerEvent).toEqual({ median: 75, min: 60, max: 90 })
})

test('a summary has the largest backlog of all rounds, and the growth that is least likely to be chance', () => {
  const growing = { median: 50, min: 40, max: 60 }
  const samples = [
    sample('headgate', 1, { backlog: { peak: 7, slope: growing } }),
    sample('headgate', 1, { backlog: { peak: 9, slope: { median: 80, min: -5, max: 165 } } }),
  ]

  expect(summarize(samples, 'saturation', 'headgate').backlog).toEqual({ peak: 9, slope: growing })
})

test('a ratio compares the two programs of each round, whichever went first', () => {
  const samples = [
    sample('floor', 50, { round: 0 }),
    sample('headgate', 60, { round: 0 }),
    sample('headgate', 140, { round: 1 }),
    sample('floor', 100, { round: 1 }),
  ]

  const { cpuPerEvent } = ratioOf(samples, 'saturation', 'headgate', 'floor').figures

  expect(cpuPerEvent).toEqual({ median: expect.closeTo(1.3), min: 1.2, max: 1.4 })
})

test('what a read-back took is only told where there was one', () => {
  const starts = [
    { program: 'headgate', readyAfter: 1.4, isFirst: true },
    { program: 'headgate', readyAfter: 0.8, isFirst: false },
  ]
  const rest = { program: 'headgate', idleCpu: 0.3 }

  const without = summarizeRest(starts, [{ ...rest, readBack: undefined }], 'headgate')
  const both = [undefined, 60_000].map((readBack) => ({ ...rest, readBack }))

  expect(without).toMatchObject({ firstReadyAfter: { median: 1.4 }, readyAfter: { median: 0.8 } })
  expect(without.readBack).toBeUndefined()
  expect(summarizeRest(starts, both, 'headgate').readBack?.median).toBe(60_000)
})

test('refused events, a busy or late generator and missing connections make figures doubtful', () => {
  const doubtsAbout = (more: Partial<Sample>) => doubtsOf([sample('headgate', 1, more)])

  expect(doubtsAbout({})).toEqual([])
  expect(doubtsAbout({ refused: { 503: 4 } })).toEqual([
    'headgate, saturation, round 1: events were refused, by status: {"503":4}',
  ])
  expect(doubtsAbout({ generatorLoad: 0.9 })[0]).toMatch(/0\.90 cores.*the limit/)
  expect(doubtsAbout({ lateP99: 7 })[0]).toMatch(/late.*7\.0 ms/)
  expect(doubtsAbout({ queued: 0.25 })[0]).toMatch(/25\.0 % of the events waited for a connection/)
})
