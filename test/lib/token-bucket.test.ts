import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyedBuckets, TokenBucket } from '../../src/lib/token-bucket.js'

test('a bucket is full at first, and fills at its rate', () => {
  const bucket = new TokenBucket({ rate: 2, burst: 3 })
  for (let taken = 0; taken < 3; taken++) {
    expect(bucket.wait(1000)).toBe(0)
    bucket.take(1000, 1)
  }
  expect(bucket.wait(1000)).toBe(500)
  expect(bucket.wait(1499)).toBe(1)
  expect(bucket.wait(1500)).toBe(0)
  bucket.take(1500, 1)
  expect(bucket.wait(1500)).toBe(500)
})

test('it never holds more than a burst', () => {
  const bucket = new TokenBucket({ rate: 1000, burst: 2 })
  bucket.take(0, 1)
  bucket.take(1_000_000, 2)
  expect(bucket.wait(1_000_000)).toBe(1)
})

test('tokens that it does not have are taken of those to come', () => {
  const bucket = new TokenBucket({ rate: 10, burst: 5 })
  bucket.take(0, 25)
  expect(bucket.wait(0)).toBe(2100)
  expect(bucket.wait(2100)).toBe(0)
})

test('over any time, no more is taken than the burst and what the rate gives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 100 }),
      (rate, burst, pauses) => {
        const bucket = new TokenBucket({ rate, burst })
        let now = 0
        let taken = 0
        for (const pause of pauses) {
          now += pause
          if (bucket.wait(now) > 0) continue
          bucket.take(now, 1)
          taken++
        }
        expect(taken).toBeLessThanOrEqual(burst + (now / 1000) * rate + 1e-6)
      },
    ),
  )
})

test('each key has a bucket of its own, and the one unused for longest is forgotten', () => {
  const buckets = new KeyedBuckets({ rate: 1, burst: 1 }, 2)
  buckets.of('a').take(0, 1)
  buckets.of('b').take(0, 1)
  expect(buckets.of('a').wait(0)).toBe(1000)
  buckets.of('c')
  expect(buckets.of('a').wait(0)).toBe(1000)
  expect(buckets.of('b').wait(0)).toBe(0)
})
