import { expect, test } from 'vitest'
import type { Sample } from '../../bench/measure.js'
import { readOptions } from '../../bench/options.js'
import { cpuRatio, formatSpread, summarize } from '../../bench/report.js'

const sample = (program: string, cpuPerEvent: number): Sample => ({
  program,
  cpuPerEvent,
  events: 1000,
  eventsPerSecond: 500,
  p50: 1,
  p99: 2,
  peakRss: 100,
  generatorLoad: 0.1,
  refused: {},
})

test('a summary has the median, the lowest and the highest of the rounds of one program', () => {
  const samples = [sample('floor', 90), sample('headgate', 1), sample('floor', 60), sample('floor', 75)]

  expect(summarize('floor', samples).figures.cpuPerEvent).toEqual({ median: 75, min: 60, max: 90 })
})

test('of an even number of rounds the median lies between the two in the middle', () => {
  const samples = [10, 40, 20, 30].map((cpu) => sample('floor', cpu))

  expect(summarize('floor', samples).figures.cpuPerEvent.median).toBe(25)
})

test('the ratio compares the two programs of each round, whichever went first', () => {
  const samples = [sample('floor', 50), sample('headgate', 60), sample('headgate', 140), sample('floor', 100)]

  const ratio = cpuRatio(samples, 'headgate', 'floor')

  expect(formatSpread(ratio, 2)).toBe('1.30 (1.20-1.40)')
})

test('options have defaults, and what does not fit is told with the usage', () => {
  expect(readOptions(['--rounds', '7'])).toMatchObject({
    rounds: 7,
    seconds: 5,
    inFlight: 64,
    jsonata: false,
  })
  expect(() => readOptions(['--rounds', '0'])).toThrow(
    /--rounds should be a whole number from 1 on; it is "0"[\s\S]*--json FILE/,
  )
  expect(() => readOptions(['--nope'])).toThrow(/--nope[\s\S]*--json FILE/)
})
