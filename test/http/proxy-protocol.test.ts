import { expect, test } from 'vitest'
import { readProxyHeader } from '../../src/http/proxy-protocol.js'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v2 = (rest: string) => Buffer.from(SIGNATURE + rest.replaceAll(' ', ''), 'hex')
const TO = '0a000001 1267 01bb'

test.each<[string, Buffer, string | undefined]>([
  ['TCP over IPv4', v2(`21 11 000c c0000201 ${TO}`), '192.0.2.1'],
  ['data about the connection', v2(`21 11 000f c0000201 ${TO} 040000`), '192.0.2.1'],
  [
    'TCP over IPv6',
    v2(`21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 1267 01bb`),
    '2001:db8::1',
  ],
  [
    'IPv4 as IPv6',
    v2(`21 21 0024 00000000000000000000ffffc0000201 20010db8000000000000000000000002 1267 01bb`),
    '192.0.2.1',
  ],
  ['a connection of the load balancer', v2('20 00 0000'), undefined],
  ['another protocol', v2(`21 12 000c c0000201 ${TO}`), undefined],
  ['a line for IPv4', Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n'), '192.0.2.1'],
  ['a line for IPv6', Buffer.from('PROXY TCP6 2001:DB8::1 ::1 4711 443\r\n'), '2001:db8::1'],
  ['a line without an address', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
])('a header is read: %s', (_what, bytes, address) => {
  expect(readProxyHeader(bytes)).toEqual({ kind: 'complete', length: bytes.length, address })
})

test.each([
  ['a request', Buffer.from('POST / HTTP/1.1\r\n')],
  ['a wrong signature', Buffer.from('\r\n\r\n\0\r\nQUIX\n')],
  ['version 3', v2('31 11 000c')],
  ['an unknown command', v2('22 11 000c')],
  ['too much data', v2('21 11 ffff')],
  ['too short for IPv4', v2('21 11 0004 c0000201')],
  ['too short for IPv6', v2(`21 21 000c c0000201 ${TO}`)],
  ['a line that does not end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['a line with a wrong address', Buffer.from('PROXY TCP4 192.0.2.1111 10.0.0.1 4711 443\r\n')],
  ['a line of something else', Buffer.from('PROXY UDP4 192.0.2.1 10.0.0.1 4711 443\r\n')],
  ['a line without a carriage return', Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\n')],
])('a header is refused: %s', (_what, bytes) => {
  expect(readProxyHeader(bytes)).toMatchObject({ kind: 'malformed' })
})
