import { expect, test } from 'vitest'
import { Budget } from '../../../src/http/http2/budget.js'

test('a budget may be spent at once, comes back with time, and is never more than at first', () => {
  const budget = new Budget({ burst: 10, perSecond: 2 }, 0)
  expect(budget.spend(10, 0)).toBe(true)
  expect(budget.spend(1, 400)).toBe(false)
  expect(budget.spend(1, 1500)).toBe(true)
  expect(budget.spend(10, 60_000)).toBe(true)
  expect(budget.spend(1, 60_000)).toBe(false)
})
