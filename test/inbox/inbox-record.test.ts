import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { type LoggedRecord, type RecordHeader, receivedBytes } from '../../src/contract/index.js'
import { fromInboxRecord, toInboxRecord } from '../../src/inbox/inbox-record.js'
import { digestOf } from '../../src/ledger/identity.js'
import { decodeBody, FORM } from '../../src/lib/body/decode.js'
import { pointer } from '../../src/lib/json/pointer.js'
import type { DecidedEvent, EventVerdict } from '../../src/pipeline/decision.js'

const HEADER = 'headgate-inbox'

const logged = (value: Buffer, headers: readonly RecordHeader[]): LoggedRecord => ({
  topic: 'inbox',
  partition: 2,
  offset: 17,
  timestamp: 0,
  key: null,
  value,
  header: (name) => headers.find((header) => header.name === name)?.value,
  headers: () => headers,
})

const throughTopic = (decided: DecidedEvent): DecidedEvent => {
  const { value, headers } = toInboxRecord('inbox', decided)
  // The part that Kafka keeps.
  return fromInboxRecord(logged(Buffer.from(value), headers))
}

const body = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))
const target = fc.record(
  { topic: fc.constantFrom('orders.eu', 'orders_us'), partition: fc.nat(100) },
  { requiredKeys: ['topic'] },
)
const header = fc.record({ name: fc.string(), value: fc.string({ unit: 'grapheme' }) })

/** The value of a record is a part of the body, or has bytes of its own. */
const recordOf = (bytes: Buffer) =>
  fc.record({
    target,
    key: fc.option(body),
    value: fc.oneof(
      fc.nat(bytes.length).map((from) => bytes.subarray(from)),
      body,
    ),
    headers: fc.array(header, { maxLength: 4 }),
  })

const verdictOf = (bytes: Buffer): fc.Arbitrary<EventVerdict> =>
  fc.oneof(
    fc.record({ kind: fc.constant('send' as const), record: recordOf(bytes) }),
    fc.constant({ kind: 'drop' as const }),
    fc.record({
      kind: fc.constant('dead-letter' as const),
      record: recordOf(bytes),
      error: fc.string().map((message) => new HeadgateError('HG_SCHEMA_VIOLATION', message)),
      stage: fc.constant('transform.0.json-schema'),
    }),
  )

const REQUEST = { method: 'POST', path: '/in', headers: { 'x-kind': 'push' }, query: { a: '1, 2' } }
const TRACE = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=b' }

const decided: fc.Arbitrary<DecidedEvent> = body.chain((bytes) =>
  fc.record({
    event: fc
      .record({
        id: fc.string({ minLength: 1, unit: 'grapheme' }),
        receivedAt: fc.nat(),
        body: fc.constantFrom(
          { bytes, value: undefined, slice: () => undefined },
          {
            bytes: Buffer.from('{}'),
            value: {},
            original: { type: 'application/octet-stream', bytes },
            slice: () => undefined,
          },
        ),
        route: fc.record({ name: fc.string(), target }),
      })
      .chain((event) => fc.constantFrom(event, { ...event, ...TRACE }, { ...event, request: REQUEST })),
    digest: fc.constant(digestOf(bytes)),
    verdict: verdictOf(bytes),
  }),
)

test('a decided event is the same on the other side of the inbox', () => {
  fc.assert(
    fc.property(decided, (before) => {
      const after = throughTopic(before)
      const { body, ...event } = after.event
      const { body: sent, ...expected } = before.event
      expect(event).toEqual(expected)
      expect(receivedBytes(body).equals(receivedBytes(sent))).toBe(true)
      expect(body.original?.type).toBe(sent.original?.type)
      expect(after.digest).toBe(before.digest)
      expect(after.verdict).toEqual(before.verdict)
    }),
  )
})

test('its key is the id, so that all deliveries of an event are in one partition', () => {
  fc.assert(
    fc.property(decided, (event) => {
      expect(toInboxRecord('inbox', event).key?.toString()).toBe(event.event.id)
    }),
  )
})

const refusal = (value: Buffer, headers: readonly RecordHeader[]): string => {
  try {
    fromInboxRecord(logged(value, headers))
  } catch (error) {
    expect(error).toBeInstanceOf(HeadgateError)
    expect((error as HeadgateError).code).toBe('HG_INBOX_RECORD')
    return (error as HeadgateError).message
  }
  throw new Error('It was read.')
}

test('a record of another form is refused, with the reason', () => {
  const value = Buffer.from('{}')
  expect(refusal(value, [])).toContain('it has no header "headgate-inbox"')
  expect(refusal(value, [{ name: HEADER, value: '?' }])).toContain('not a JSON object')
  expect(refusal(value, [{ name: HEADER, value: '{"version":2}' }])).toContain(
    'the form of version 2, and this release reads version 1',
  )
  expect(refusal(value, [{ name: HEADER, value: '{"version":1}' }])).toContain('malformed')
})

test('no damage of a record ends in anything but a refusal or an event', () => {
  fc.assert(
    fc.property(decided, fc.nat(), fc.string({ maxLength: 3 }), fc.nat(60), (event, at, insert, cut) => {
      const { value, headers } = toInboxRecord('inbox', event)
      const text = (headers[0] as RecordHeader).value
      const place = at % text.length
      const damaged = text.slice(0, place) + insert + text.slice(place + 1)
      const shortened = value.subarray(0, Math.max(0, value.length - cut))
      for (const [bytes, header] of [
        [value, damaged],
        [shortened, text],
      ] as const) {
        try {
          const { verdict } = fromInboxRecord(logged(bytes, [{ name: HEADER, value: header }]))
          if ('record' in verdict) expect(verdict.record.target.topic).toMatch(/^[\w.-]+$/)
        } catch (error) {
          expect((error as HeadgateError).code).toBe('HG_INBOX_RECORD')
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('an error code that a newer release has is refused, and not taken for another', () => {
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'no')
  const bytes = Buffer.from('{}')
  const record = { target: { topic: 'dead' }, key: null, value: bytes, headers: [] }
  const { value, headers } = toInboxRecord('inbox', {
    event: { id: 'a', receivedAt: 0, body: { bytes, value: {}, slice: () => undefined } },
    digest: digestOf(bytes),
    verdict: { kind: 'dead-letter', record, error, stage: 'transform.0.x' },
  })
  const renamed = headers.map(({ name, value }) => ({
    name,
    value: value.replace('HG_SCHEMA_VIOLATION', 'HG_NEW'),
  }))
  expect(refusal(value, renamed)).toContain('does not know the code')
})

test('a form is decoded again on the other side, when something looks at it', () => {
  const body = decodeBody(FORM, Buffer.from('a=1&b=%C3%A4'), { maxDepth: 3, maxFields: 3 })
  const event = { id: 'a', receivedAt: 0, body }
  const { body: after } = throughTopic({ event, digest: 'd', verdict: { kind: 'drop' } }).event
  expect(after.value).toEqual({ a: '1', b: 'ä' })
  expect(after.bytes.toString()).toBe('{"a":"1","b":"ä"}')
  expect(after.slice(pointer('/b'))?.toString()).toBe('"ä"')
})
