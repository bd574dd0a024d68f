import { expect, test } from 'vitest'
import { murmur2, partitionOf } from '../../src/lib/murmur2.js'

/** From UtilsTest.testMurmur2 of Apache Kafka. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('the hash of %s is that of the Java client', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('a partition is one of those that there are', () => {
  for (let count = 1; count < 8; count++) {
    const partition = partitionOf(Buffer.from(`key-${count}`), count)
    expect(partition).toBeGreaterThanOrEqual(0)
    expect(partition).toBeLessThan(count)
  }
})
