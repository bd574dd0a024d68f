import { expect, test } from 'vitest'
import { readLetterRef } from '../../src/dead-letters/letter.js'

test.each([
  ['0:12', { topic: undefined, partition: 0, offset: 12 }],
  ['orders.dlq:0:12', { topic: 'orders.dlq', partition: 0, offset: 12 }],
  ['orders-dlq-3@7', { topic: 'orders-dlq', partition: 3, offset: 7 }],
])('%s names a dead letter', (text, place) => {
  expect(readLetterRef(text)).toEqual(place)
})

test.each(['', '12', ':12', '0:', '0:-1', '0:1:2:3', 'a b:0:1', 'dlq@3', '0:1234567890123456', '1e3:4'])(
  '%j names none',
  (text) => {
    expect(readLetterRef(text)).toBeUndefined()
  },
)
