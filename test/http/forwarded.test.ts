import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { senderAddress } from '../../src/http/forwarded.js'
import { Networks } from '../../src/lib/networks.js'

const PROXY = '10.0.0.1'
const networks = new Networks(['10.0.0.0/8', '2001:db8:ffff::/48'])
const sender = (headers: { forwarded?: string; 'x-forwarded-for'?: string }, peer = PROXY) =>
  senderAddress(peer, headers, (address) => networks.has(address))

describe('the address of a sender', () => {
  it('is that of the connection if it is no trusted proxy, whatever the headers say', () => {
    const headers = { forwarded: 'for=192.0.2.1', 'x-forwarded-for': '192.0.2.1' }
    expect(sender(headers, '203.0.113.9')).toBe('203.0.113.9')
  })

  it('is that of a trusted proxy that speaks for itself', () => {
    expect(sender({})).toBe(PROXY)
  })

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['192.0.2.1, 203.0.113.9', '203.0.113.9'],
    ['192.0.2.1,203.0.113.9 , 10.1.1.1,10.2.2.2', '203.0.113.9'],
    ['10.9.9.9, 10.1.1.1', '10.9.9.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8::1, 2001:db8:ffff::7, ::ffff:10.1.1.1', '2001:db8::1'],
    ['nonsense, 203.0.113.9', '203.0.113.9'],
  ])('is the right-most one of X-Forwarded-For that is not trusted: %s', (list, address) => {
    expect(sender({ 'x-forwarded-for': list })).toBe(address)
  })

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['For=203.0.113.9;proto=https;by=10.0.0.1', '203.0.113.9'],
    ['for=192.0.2.1;x="a,b;c", for="203.0.113.9:4711" , for=10.1.1.1', '203.0.113.9'],
    ['for="[2001:db8::1]:_port";host="h"', '2001:db8::1'],
    ['for="\\203.0.113.9"', '203.0.113.9'],
    ['for=unknown, for=203.0.113.9', '203.0.113.9'],
  ])('is the right-most one of Forwarded that is not trusted: %s', (forwarded, address) => {
    expect(sender({ forwarded })).toBe(address)
  })

  it.each([
    [{ 'x-forwarded-for': '' }],
    [{ 'x-forwarded-for': '203.0.113.9,' }],
    [{ 'x-forwarded-for': '203.0.113.9, nonsense, 10.1.1.1' }],
    [{ 'x-forwarded-for': '[203.0.113.9]' }],
    [{ 'x-forwarded-for': '203.0.113.9:123456' }],
    [{ forwarded: '' }],
    [{ forwarded: 'for=unknown' }],
    [{ forwarded: 'for=_hidden' }],
    [{ forwarded: 'proto=https' }],
    [{ forwarded: 'for=203.0.113.9;for=192.0.2.1' }],
    [{ forwarded: 'for=203.0.113.9,' }],
    [{ forwarded: 'for=203.0.113.9 for=192.0.2.1' }],
    [{ forwarded: 'for=[2001:db8::1]' }],
    // An open quotation mark of the sender, and the element that a proxy has added.
    [{ forwarded: 'for=192.0.2.1;x=", for="[2001:db8::1]"' }],
    [{ forwarded: 'for=192.0.2.1;x=", for=203.0.113.9' }],
  ])('is unknown if a trusted proxy does not say it: %o', (headers) => {
    expect(sender(headers)).toBeUndefined()
  })

  it('is unknown if a sender has added the header that its proxy does not write', () => {
    const list = '203.0.113.9'
    expect(sender({ forwarded: 'for=192.0.2.1', 'x-forwarded-for': list })).toBeUndefined()
    expect(sender({ forwarded: 'broken', 'x-forwarded-for': list })).toBeUndefined()
    expect(sender({ forwarded: 'for=203.0.113.9', 'x-forwarded-for': list })).toBe('203.0.113.9')
  })

  it('is never one that the sender wrote, if its proxy adds the true one', () => {
    const TRUE = '203.0.113.9'
    const text = fc.string({
      unit: fc.constantFrom('for=', '"', '\\', ',', ';', ' ', '192.0.2.1', '10.0.0.1', '[', ']', ':', 'x='),
    })
    fc.assert(
      fc.property(text, text, fc.constantFrom(TRUE, `"${TRUE}"`, `"${TRUE}:80"`), (list, elements, added) => {
        expect(sender({ 'x-forwarded-for': `${list}, ${TRUE}` })).toBe(TRUE)
        expect([TRUE, undefined]).toContain(sender({ forwarded: `${elements}, for=${added};proto=https` }))
      }),
      { numRuns: 5000 },
    )
  })
})
