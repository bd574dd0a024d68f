import { expect, test } from 'vitest'
import { bytesOf, hexText } from '../../console/src/events/hex-text.js'

test('bytes are shown in lines with their offset and their letters', () => {
  const bytes = Buffer.concat([Buffer.from('PK\u0003\u0004 <b>'), Buffer.from([0, 0x7e, 0x7f, 0xff])])
  expect(bytesOf(bytes.toString('hex'))).toEqual(new Uint8Array(bytes))
  expect(hexText(bytes)).toBe('0000  50 4b 03 04 20 3c 62 3e  PK.. <b>\n0008  00 7e 7f ff              .~..')
  expect(hexText(bytesOf(''))).toBe('')
})
