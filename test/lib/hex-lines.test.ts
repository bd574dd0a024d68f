import { expect, test } from 'vitest'
import { hexLines } from '../../src/lib/hex-lines.js'

test('bytes are lines of sixteen, with their offset and their letters', () => {
  const bytes = Buffer.concat([Buffer.from('PK\u0003\u0004 and more ..'), Buffer.from([0, 0x7e, 0x7f, 0xff])])
  expect(hexLines(bytes)).toEqual([
    '0000  50 4b 03 04 20 61 6e 64 20 6d 6f 72 65 20 2e 2e  PK.. and more ..',
    `0010  00 7e 7f ff${' '.repeat(38)}.~..`,
  ])
  expect(hexLines(Buffer.alloc(0))).toEqual([])
})
