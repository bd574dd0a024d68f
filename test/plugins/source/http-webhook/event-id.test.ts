import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBody } from '../../../../src/lib/json/body.js'
import { eventId } from '../../../../src/plugins/source/http-webhook/event-id.js'

const read = eventId('/event/id')
const idOf = (json: string): string => read({}, parseBody(Buffer.from(`{"event":{"id":${json}}}`), 64))

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
      expect(() => read({}, parseBody(Buffer.from(body), 64))).toThrow('found nothing')
    }
  })

  it('reads a header by its name in any case', () => {
    const fromHeader = eventId({ header: 'Webhook-Id' })
    const body = parseBody(Buffer.from('{}'), 64)
    expect(fromHeader({ 'webhook-id': 'msg_1' }, body)).toBe('msg_1')
    expect(() => fromHeader({}, body)).toThrow('in the header webhook-id; found nothing')
    expect(() => fromHeader({ 'webhook-id': '' }, body)).toThrow('an empty string')
    expect(() => fromHeader({ 'webhook-id': 'a\tb' }, body)).toThrow('a string with control characters')
  })
})
