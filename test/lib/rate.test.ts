import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rate } from '../../src/lib/rate.js'

/** Attempts that go between two times, with a clock of 1 ms. */
function attempts(rate: Rate, from: number, to: number, most = 10): number {
  let count = 0
  for (let now = from; now < to; now++) {
    for (let tried = 0; tried < most && rate.wait(now) === 0; tried++) {
      rate.take(now)
      count++
    }
  }
  return count
}

test('without a maximum nothing is held back', () => {
  expect(attempts(new Rate(), 0, 1000)).toBe(10_000)
})

test('with a maximum, at most that many go in a second, after the first burst', () => {
  const rate = new Rate(100)
  attempts(rate, 0, 1000)
  expect(attempts(rate, 1000, 2000)).toBeGreaterThanOrEqual(99)
  expect(attempts(rate, 2000, 3000)).toBeLessThanOrEqual(101)
})

test('nothing goes during the pause that the sender asked for', () => {
  const rate = new Rate()
  attempts(rate, 0, 1000)
  rate.throttle(1000, 120_000)
  expect(rate.wait(1000)).toBe(120_000)
  expect(attempts(rate, 1000, 121_000)).toBe(0)
  expect(rate.wait(121_100)).toBe(0)
})

test('a 429 halves the rate, and those that come back together count once', () => {
  const rate = new Rate()
  attempts(rate, 0, 1000, 1)
  for (let many = 0; many < 30; many++) rate.throttle(1000, 0)
  const next = attempts(rate, 1000, 2000)
  expect(next).toBeGreaterThan(400)
  expect(next).toBeLessThan(600)
})

test('the limit and the pause can be looked at', () => {
  const rate = new Rate()
  expect(rate.limit(0)).toBeUndefined()
  attempts(rate, 0, 1000, 1)
  rate.throttle(1000, 5000)
  expect([rate.pausedFor(2000), rate.pausedFor(7000)]).toEqual([4000, 0])
  const limit = rate.limit(2000) ?? 0
  expect(limit).toBeGreaterThan(400)
  expect(rate.limit(7000)).toBeGreaterThan(limit)
  expect(rate.limit(120_000)).toBeUndefined()
  expect(new Rate(50).limit(0)).toBe(50)
})

test('the rate grows back until nothing limits it any more', () => {
  const rate = new Rate()
  attempts(rate, 0, 1000, 1)
  rate.throttle(1000, 0)
  attempts(rate, 1000, 120_000)
  expect(attempts(rate, 120_000, 121_000)).toBe(10_000)
})

test('after a long storm it is back within half a minute', () => {
  const rate = new Rate()
  attempts(rate, 0, 1000)
  for (let now = 1000; now < 31_000; now += 1000) rate.throttle(now, 1000)
  attempts(rate, 31_000, 61_000)
  expect(attempts(rate, 61_000, 62_000)).toBe(10_000)
})

test('it never stops for good, whatever the sender says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ after: fc.nat(5000), pause: fc.nat(60_000) }), { maxLength: 20 }),
      (throttles) => {
        const rate = new Rate(50)
        let now = 0
        for (const { after, pause } of throttles) {
          now += after
          rate.throttle(now, pause)
        }
        const wait = rate.wait(now)
        expect(wait).toBeLessThanOrEqual(62_000)
        expect(rate.wait(now + 62_000)).toBe(0)
      },
    ),
  )
})

test('after a hundred failures in a row twenty attempts a second find out whether the sender is back', () => {
  const rate = new Rate()
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) rate.failed()
  }
  fail(99)
  expect(rate.isDown(0)).toBe(false)
  rate.responded(-10_000)
  fail(99)
  expect(attempts(rate, 0, 1000)).toBe(10_000)
  fail(1)
  expect(rate.isDown(1000)).toBe(true)
  // The last one before went at 999.
  expect(attempts(rate, 1000, 10_999)).toBe(199)
  rate.responded(11_000)
  expect(rate.isDown(11_000)).toBe(false)
  expect(attempts(rate, 11_000, 12_000)).toBe(10_000)
})

test('a sender that answers now and then is not down, however many acknowledgements fail', () => {
  const rate = new Rate()
  rate.responded(0)
  for (let time = 0; time < 10_000; time++) rate.failed()
  expect(rate.isDown(2999)).toBe(false)
  expect(rate.isDown(3000)).toBe(true)
})
