import { expect, test } from 'vitest'
import {
  fitLine,
  formatSpread,
  judgeGrowth,
  type Point,
  smooth,
  spread,
  tQuantile,
} from '../../../bench/measure/statistics.js'

test('of an even number of rounds the median lies between the two in the middle', () => {
  expect(spread([10, 40, 20, 30])).toEqual({ median: 25, min: 10, max: 40 })
})

test('a spread is written with its bounds, and without them where there is only one value', () => {
  expect(formatSpread(spread([1.2, 1.4]), 2)).toBe('1.30 (1.20-1.40)')
  expect(formatSpread(spread([7]), 1)).toBe('7.0')
})

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
/** Noise that is the same in every run, from -1 to 1, whose neighbours have nothing to do with each other. */
const noise = (index: number): number => (Math.sin((index + 1) * 12.9898) * 43758.5453) % 1

test('points on a line give the line, without doubt', () => {
  const line = fitLine(range(10).map((x) => [x, 3 + 2 * x]))
  expect(line.slope).toBeCloseTo(2)
  expect(line.intercept).toBeCloseTo(3)
  expect(line.high - line.low).toBeCloseTo(0)
})

test('the interval around a noisy slope is that of the textbook', () => {
  // Height in metres and weight in kilograms of women of 30 to 39: slope 61.272, standard error 1.776.
  const heights = [1.47, 1.5, 1.52, 1.55, 1.57, 1.6, 1.63, 1.65, 1.68, 1.7, 1.73, 1.75, 1.78, 1.8, 1.83]
  const weights = [
    52.21, 53.12, 54.48, 55.84, 57.2, 58.57, 59.93, 61.29, 63.11, 64.47, 66.28, 68.1, 69.92, 72.19, 74.46,
  ]
  const { slope, low, high } = fitLine(heights.map((x, index): Point => [x, weights[index] ?? 0]))
  expect(slope).toBeCloseTo(61.272, 2)
  // Residuals of a curve are like their neighbours: the interval must be wider than 2 * 2.16 * 1.776.
  expect(high - low).toBeGreaterThan(7.68)
})

test('samples that are like their neighbours make a slope less sure', () => {
  const independent = range(100).map((x): Point => [x, noise(x)])
  const swinging = range(100).map((x): Point => [x, Math.sin(x / 8)])
  const width = (points: Point[]) => {
    const { low, high } = fitLine(points)
    return high - low
  }
  expect(width(swinging)).toBeGreaterThan(2 * width(independent))
})

test('two points say nothing about how sure their slope is', () => {
  expect(
    fitLine([
      [0, 0],
      [1, 1],
    ]),
  ).toMatchObject({ slope: 1, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY })
})

test('quantiles of the t distribution are those of the tables', () => {
  for (const [degrees, value] of [
    [1, 12.706],
    [2, 4.303],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [1000, 1.962],
  ] as const)
    expect(Math.abs(tQuantile(degrees) - value)).toBeLessThan(0.02)
})

test('smoothing takes peaks out and keeps the way', () => {
  const points = range(100).map((x): Point => [x, x % 10 === 0 ? 1000 : x])
  const smoothed = smooth(points, 10)
  expect(smoothed).toHaveLength(10)
  expect(Math.max(...smoothed.map(([, y]) => y))).toBeLessThan(101)
})

test('memory is judged flat or growing only where chance is out of the question', () => {
  const memory = (slope: number, restless: number) =>
    judgeGrowth(
      range(1000).map((index): Point => [index / 100, 150 + (slope * index) / 100 + restless * noise(index)]),
    )

  expect(memory(0, 3).verdict).toBe('flat')
  expect(memory(4, 3).verdict).toBe('growing')
  expect(memory(4, 3).slope).toBeCloseTo(4, 0)
  expect(memory(1, 200).verdict).toBe('undecided')
})

test('what a process takes while it warms up is not growth', () => {
  const samples = range(1000).map((index): Point => [index / 100, index < 200 ? index : 200 + noise(index)])
  expect(judgeGrowth(samples).verdict).toBe('flat')
})

test('a run that is too short is undecided', () => {
  const short = range(100).map((index): Point => [index / 1000, 100 + index])
  expect(judgeGrowth(short)).toMatchObject({ slope: expect.closeTo(1000), verdict: 'undecided' })
  expect(judgeGrowth([[2, 100]]).verdict).toBe('undecided')
})
