import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalAddress, Networks, parseNetwork } from '../../src/lib/networks.js'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0::0:1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['192.0.2.01', undefined],
  ['192.0.2.1:80', undefined],
  ['[2001:db8::1]', undefined],
  ['localhost', undefined],
  ['', undefined],
])('the address %s is %s', (text, address) => {
  expect(canonicalAddress(text)).toBe(address)
})

test.each([
  ['10.0.0.0/8', { address: '10.0.0.0', family: 'ipv4', prefix: 8 }],
  ['192.0.2.7', { address: '192.0.2.7', family: 'ipv4', prefix: 32 }],
  ['2001:db8::/32', { address: '2001:db8::', family: 'ipv6', prefix: 32 }],
  ['::ffff:10.0.0.0/104', { address: '10.0.0.0', family: 'ipv4', prefix: 8 }],
  ['0.0.0.0/0', { address: '0.0.0.0', family: 'ipv4', prefix: 0 }],
  ['10.0.0.0/33', undefined],
  ['2001:db8::/129', undefined],
  ['::ffff:10.0.0.0/90', undefined],
  ['10.0.0.0/08', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0/8', undefined],
  ['10.0.0.0/8/8', undefined],
])('the network %s is %o', (text, network) => {
  expect(parseNetwork(text)).toEqual(network)
})

test('a network has its addresses, however they are written, and no others', () => {
  const networks = new Networks(['10.0.0.0/8', '192.0.2.7', '2001:db8:1::/35', '::ffff:198.51.100.0/120'])
  const has = (text: string) => networks.has(canonicalAddress(text) as string)
  for (const inside of ['10.255.255.255', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8:1fff::1', '198.51.100.9'])
    expect([inside, has(inside)]).toEqual([inside, true])
  for (const outside of ['11.0.0.0', '9.255.255.255', '192.0.2.6', '2001:db8:2000::1', '198.51.101.0', '::'])
    expect([outside, has(outside)]).toEqual([outside, false])
})

test('all of IPv6 is not all of IPv4, and the other way round', () => {
  const v6 = new Networks(['::/0'])
  expect([v6.has('2001:db8::1'), v6.has('192.0.2.1')]).toEqual([true, false])
  const v4 = new Networks(['0.0.0.0/0'])
  expect([v4.has('2001:db8::1'), v4.has('192.0.2.1')]).toEqual([false, true])
})

test('an address is in a network of IPv4 if, and only if, the first bits are the same', () => {
  const address = fc.nat({ max: 2 ** 32 - 1 })
  const dotted = (bits: number) => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 32 }), (one, other, prefix) => {
      const first = (bits: number) => Math.floor(bits / 2 ** (32 - prefix))
      const network = new Networks([`${dotted(one)}/${prefix}`])
      expect(network.has(dotted(one))).toBe(true)
      expect(network.has(dotted(other))).toBe(first(one) === first(other))
    }),
  )
})
