import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryDelay } from '../../src/pipeline/acknowledge.js'

const settings = fc.record({
  initial: fc.integer({ min: 1, max: 10_000 }),
  max: fc.integer({ min: 1, max: 3_600_000 }),
  deadline: fc.constant(86_400_000),
})
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('a delay is at least as long as the sender asked for, and exceeds that by at most the maximum', () => {
  fc.assert(
    fc.property(settings, fc.nat(10_000), fc.nat(900_000), random, (retry, attempts, asked, value) => {
      const delay = retryDelay(retry, attempts, asked, () => value)
      expect(delay).toBeGreaterThanOrEqual(asked)
      expect(delay).toBeLessThanOrEqual(asked + retry.max)
      expect(Number.isSafeInteger(delay)).toBe(true)
    }),
  )
})

test('the bound doubles with every attempt until it reaches the maximum', () => {
  const retry = { initial: 100, max: 1000, deadline: 1 }
  const longest = [0, 1, 2, 3, 4, 5].map((attempts) => retryDelay(retry, attempts, 0, () => 0.999999))
  expect(longest).toEqual([100, 200, 400, 800, 1000, 1000])
})
