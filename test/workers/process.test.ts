import { expect, test } from 'vitest'
import { RestartBackoff } from '../../src/workers/process.js'

test('a worker that ran for long is replaced at once, and the backoff starts again', () => {
  const backoff = new RestartBackoff()
  for (let n = 0; n < 12; n++) backoff.delay(500)
  expect(backoff.delay(60_000)).toBe(0)
  expect(backoff.delay(500)).toBe(100)
})

test('a worker that crashes again and again is replaced more and more slowly, up to a bound', () => {
  const backoff = new RestartBackoff()
  const delays = Array.from({ length: 12 }, () => backoff.delay(500))
  expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800])
  expect(delays.at(-1)).toBe(30_000)
})
