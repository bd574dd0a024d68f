import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readProxyHeader } from '../../src/http/proxy-protocol.js'
import { runs } from './runs.js'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const garbage = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const starts = fc.constantFrom(
  Buffer.alloc(0),
  Buffer.from('PROXY TCP4 '),
  Buffer.from('PROXY UNKNOWN'),
  SIGNATURE,
  Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 0, 12])]),
  Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x21, 0, 36])]),
)

it('bytes of any kind are a header, the beginning of one, or none; and never more than there is', () => {
  fc.assert(
    fc.property(starts, garbage, (start, rest) => {
      const bytes = Buffer.concat([start, rest])
      const header = readProxyHeader(bytes)
      if (header.kind === 'complete') expect(header.length).toBeLessThanOrEqual(bytes.length)
    }),
    runs(2000),
  )
})

it('a header is the same however its bytes arrive, and whatever follows it', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.boolean(), garbage, garbage, (address, isText, extra, rest) => {
      const header = isText ? text(address) : binary(address, extra)
      const whole = readProxyHeader(Buffer.concat([header, rest]))
      expect(whole).toEqual({ kind: 'complete', length: header.length, address })
      for (let length = 0; length < header.length; length++)
        expect(readProxyHeader(header.subarray(0, length))).toEqual({ kind: 'incomplete' })
    }),
    runs(100),
  )
})

const text = (address: string) => Buffer.from(`PROXY TCP4 ${address} 10.0.0.1 4711 443\r\n`)

function binary(address: string, extra: Buffer): Buffer {
  const fixed = Buffer.from([0x21, 0x11, 0, 0])
  fixed.writeUInt16BE(12 + extra.length, 2)
  const addresses = Buffer.from([...address.split('.').map(Number), 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb])
  return Buffer.concat([SIGNATURE, fixed, addresses, extra])
}
