import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSchedule } from '../../../bench/load/schedule.js'

test('events are due at even distances from the start, and then no more', () => {
  const { count, dueAt, dueBy } = createSchedule(1000, 500, 2)

  expect(count).toBe(1000)
  expect([dueAt(0), dueAt(1), dueAt(999)]).toEqual([1000, 1002, 2998])
  expect([999, 1000, 1001.9, 1002, 3000, 9000].map(dueBy)).toEqual([0, 1, 1, 2, 1000, 1000])
})

test('an event is found at the very moment that it is due', () => {
  const rates = fc.double({ min: 1, max: 20_000, noNaN: true })
  fc.assert(
    fc.property(rates, fc.double({ min: 0, max: 1e12, noNaN: true }), fc.nat(100_000), (rate, start, n) => {
      const { count, dueAt, dueBy } = createSchedule(start, rate, 10)
      fc.pre(n < count)
      expect(dueBy(dueAt(n))).toBeGreaterThanOrEqual(n + 1)
      expect(dueAt(dueBy(dueAt(n)) - 1)).toBeLessThanOrEqual(dueAt(n))
    }),
  )
})

test('looks at what is due are no closer than half a millisecond', () => {
  expect(createSchedule(0, 1000, 1).tick).toBe(1)
  expect(createSchedule(0, 10_000, 1).tick).toBe(0.5)
})
