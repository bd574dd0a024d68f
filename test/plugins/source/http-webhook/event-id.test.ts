import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceivedRequest } from '../../../../src/http/request.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { ensuredBy, eventId } from '../../../../src/plugins/source/http-webhook/event-id.js'
import { requestWith } from './webhook.js'

const none = requestWith({})
const body = parseBody(Buffer.from('{}'), 64)
const read = eventId('/event/id')
const idOf = (json: string): string => read(none, parseBody(Buffer.from(`{"event":{"id":${json}}}`), 64))

describe('eventId', () => {
  it('accepts any well-formed string of up to 256 characters without control characters', () => {
    const strings = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => text.length <= 256 && !/\p{Cc}/u.test(text))
    fc.assert(fc.property(strings, (id) => idOf(JSON.stringify(id)) === id))
    expect(idOf(JSON.stringify('x'.repeat(256)))).toHaveLength(256)
  })

  it('keeps the digits of any integer as sent', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ max: 10n ** 200n, min: -(10n ** 200n) }),
        (id) => idOf(` ${id} `) === String(id),
      ),
    )
  })

  it.each([
    ['null', 'null'],
    ['""', 'an empty string'],
    ['true', 'a boolean'],
    ['{"id":1}', 'an object'],
    ['["a"]', 'an array'],
    ['1.0', 'a number that is not an integer'],
    ['1e3', 'a number that is not an integer'],
    ['1'.repeat(257), 'a number that is not an integer of at most 256 digits'],
    [`"${'x'.repeat(257)}"`, 'longer than 256 characters'],
    ['"\\ud800"', 'lone surrogates'],
    ['"a\\u0000b"', 'a string with control characters'],
    ['"a\\nb"', 'a string with control characters'],
    ['"\\u001b[2J"', 'a string with control characters'],
    ['"a\\u007f"', 'a string with control characters'],
    ['"\\u009b2J"', 'a string with control characters'],
  ])('refuses %s, and names its kind instead of its content', (json, found) => {
    expect(() => idOf(json)).toThrow(
      expect.objectContaining({ code: 'HG_INTAKE_NO_ID', message: expect.stringContaining(found) }),
    )
    expect(() => idOf(json)).toThrow('"/event/id"')
  })

  it('refuses a body without a value there', () => {
    for (const body of ['{}', '[]', '"id"', '{"event":null}', '{"__proto__":{"event":{"id":"a"}}}']) {
      expect(() => read(none, parseBody(Buffer.from(body), 64))).toThrow('found nothing')
    }
  })

  it('reads a header as UTF-8 if it can be that', () => {
    const found = (bytes: Buffer) =>
      eventId('header:X-Id')(
        requestWith({ 'x-id': bytes.toString('latin1') }),
        parseBody(Buffer.from('{}'), 64),
      )
    expect(found(Buffer.from('À1'))).toBe('À1')
    expect(found(Buffer.from('À1', 'latin1'))).toBe('À1')
  })

  it('reads a header by its name in any case', () => {
    const fromHeader = eventId('header:Webhook-Id')
    expect(fromHeader(requestWith({ 'webhook-id': 'msg_1' }), body)).toBe('msg_1')
    expect(() => fromHeader(none, body)).toThrow('in the header webhook-id; found nothing')
    expect(() => fromHeader(requestWith({ 'webhook-id': '' }), body)).toThrow('an empty string')
    expect(() => fromHeader(requestWith({ 'webhook-id': 'a\tb' }), body)).toThrow(
      'a string with control characters',
    )
  })

  it('refuses a header that was sent more than once', () => {
    const twice = new ReceivedRequest('POST', { 'x-id': 'a, b' }, '/', ['X-Id', 'a', 'X-Id', 'b'])
    expect(() => eventId('header:X-Id')(twice, body)).toThrow('it was sent more than once')
  })

  it('reads a parameter of the query', () => {
    const fromQuery = eventId('query:id')
    expect(fromQuery(requestWith({}, { url: '/in?id=a%2Fb' }), body)).toBe('a/b')
    expect(() => fromQuery(none, body)).toThrow('in the parameter id of the query; found nothing')
  })

  it('refuses a parameter that was sent more than once', () => {
    const twice = requestWith({}, { url: '/in?id=a&id=a' })
    expect(() => eventId('query:id')(twice, body)).toThrow('of the query; it was sent more than once')
  })

  it('joins several places, so that different values never make the same id', () => {
    const joined = eventId(['/a', 'header:b', 'query:c'])
    const idFor = (a: string, b: string, c: string) =>
      joined(
        requestWith({ b }, { url: `/in?c=${encodeURIComponent(c)}` }),
        parseBody(Buffer.from(JSON.stringify({ a })), 64),
      )
    expect(idFor('x', 'y', 'z')).toBe('x:y:z')
    const value = fc.string({ unit: fc.constantFrom(':', '\\', 'a'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.tuple(value, value, value), fc.tuple(value, value, value), (one, other) => {
        expect(idFor(...one) === idFor(...other)).toBe(one.join('|') === other.join('|'))
      }),
    )
    expect(() => joined(none, body)).toThrow('at "/a" of the body; found nothing')
    const long = 'x'.repeat(200)
    expect(() => idFor(long, long, 'z')).toThrow('longer than 256 characters')
  })

  it('takes the digest of the body, or makes a new id for each delivery', () => {
    const digest = eventId('digest')
    expect(digest(none, body)).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
    const fresh = eventId('new')
    expect(fresh(none, body)).not.toBe(fresh(none, body))
  })

  it.each([
    ['/id', { required: ['id'], properties: { id: true } }],
    ['header:x', true],
    ['digest', true],
    [['/a', 'header:x'], { required: ['a'], properties: { a: true } }],
    [
      ['/a', '/b/c'],
      {
        allOf: [
          { required: ['a'], properties: { a: true } },
          { required: ['b'], properties: { b: { required: ['c'], properties: { c: true } } } },
        ],
      },
    ],
  ])('%j tells the schema of bodies that have an id', (setting, schema) => {
    expect(ensuredBy(setting)).toEqual(schema)
  })
})
