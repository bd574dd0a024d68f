import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Event, SinkRecord } from '../../src/contract/index.js'
import { parseBody } from '../../src/lib/json/body.js'
import type { Decided } from '../../src/pipeline/decision.js'
import { EventContext } from '../../src/pipeline/event-log.js'
import { fromEventMessage, toEventMessage } from '../../src/workers/event-message.js'

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const header = fc.record({ name: fc.string(), value: fc.string({ unit: 'binary' }) })
const body = fc.json().map((text) => Buffer.from(`{"payload":${text}}`))

const ADDRESS = { number: 1, generation: 2, pipeline: 3 }
const contextOf = (startedAt = performance.now(), notable = 0) =>
  new EventContext(undefined, startedAt, notable)

/** A decided event as it comes out at the other end of the wire. */
function overTheWire(decided: Decided, context = contextOf()) {
  const { message, parts } = toEventMessage(ADDRESS, decided, context, undefined)
  const read = JSON.parse(JSON.stringify(message)) as typeof message
  return fromEventMessage(read, parts, { begin: (_, startedAt) => contextOf(startedAt, 10) })
}

test('a handshake is the same in the other process', () => {
  const response = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'challenge' }
  const verdict = { kind: 'handshake', form: 'query', response } as const
  expect(overTheWire({ event: undefined, verdict }).decided).toEqual({ event: undefined, verdict })
})

test('an event and its record are the same in the other process, whatever they are made of', () => {
  fc.assert(
    fc.property(
      fc.record({
        id: fc.string({ unit: 'binary' }),
        body,
        key: fc.option(bytes),
        value: fc.option(bytes),
        headers: fc.array(header, { maxLength: 5 }),
        traced: fc.boolean(),
        request: fc.option(fc.record({ headers: fc.dictionary(fc.string(), fc.string()) }), {
          nil: undefined,
        }),
        partition: fc.option(fc.nat(), { nil: undefined }),
        deadLetter: fc.boolean(),
      }),
      ({ id, body, key, value, headers, traced, request, partition, deadLetter }) => {
        const target = { topic: 'topic', ...(partition !== undefined && { partition }) }
        const event: Event = {
          id,
          body: parseBody(body, 1000),
          receivedAt: 1,
          ...(traced && { traceparent: 'parent', tracestate: 'state' }),
          ...(request !== undefined && { request }),
          route: { name: 'rule', target },
        }
        // Without bytes of its own, the value is a part of the body.
        const slice = value ?? body.subarray(11, body.length - 1)
        const record: SinkRecord = { target, key, value: slice, headers }
        const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'No.')
        const verdict = deadLetter
          ? ({ kind: 'dead-letter', record, error, stage: 'transform.0.route' } as const)
          : ({ kind: 'send', record } as const)
        const { decided } = overTheWire({ event, digest: 'digest', verdict })
        if (decided.event === undefined) throw new Error('the event is missing')
        expect(decided.digest).toBe('digest')
        expect(decided.verdict).toEqual(verdict)
        const { body: itsBody, ...rest } = decided.event
        const { body: _, ...expected } = event
        expect(rest).toEqual(expected)
        expect([itsBody.bytes, itsBody.value]).toEqual([body, event.body.value])
      },
    ),
  )
})

test('a value that is a part of the body is sent once', () => {
  const body = Buffer.from('{"payload":{"n":1}}')
  const event = { id: 'a', body: parseBody(body, 10), receivedAt: 1 }
  const record = { target: { topic: 'topic' }, key: null, value: body.subarray(11, 18), headers: [] }
  const { message, parts } = toEventMessage(
    ADDRESS,
    { event, digest: '', verdict: { kind: 'send', record } },
    contextOf(),
    undefined,
  )
  expect(parts).toEqual([body])
  expect(message.decided?.verdict).toMatchObject({ kind: 'send', record: { value: [11, 18] } })
})

test('the time in the worker counts, and the stages that took long there are named', () => {
  const event = { id: 'a', body: parseBody(Buffer.from('{}'), 10), receivedAt: 1 }
  const context = contextOf(performance.now() - 500, 10)
  context.took('transform.0.slow', 400)
  const received = overTheWire({ event, digest: '', verdict: { kind: 'drop' } }, context).context
  expect(received.startedAt).toBeCloseTo(context.startedAt, 3)
  expect(received).toMatchObject({ stage: 'transform.0.slow', failure: undefined, event: { id: 'a' } })
  expect(received.times).toEqual(context.times)
  expect(received.times).toMatchObject([{ stage: 'transform.0.slow', ms: 400 }])
})

test('the address of the sender goes along for those who look at it: a tap, and the log of a refusal', () => {
  const body = parseBody(Buffer.from('{}'), 10)
  const event: Decided = { event: { id: 'a', body, receivedAt: 1 }, digest: '', verdict: { kind: 'drop' } }
  const error = new HeadgateError('HG_INTAKE_NO_ID', 'No.')
  const refused: Decided = { event: undefined, verdict: { kind: 'reject', error } }
  const request = {
    requestId: 'r',
    traceparent: undefined,
    tracestate: undefined,
    remoteAddress: '203.0.113.9',
  }
  const addressOf = (decided: Decided, notable: number) =>
    overTheWire(decided, new EventContext(request, performance.now(), notable)).request.remoteAddress
  expect(addressOf(event, 0)).toBe('203.0.113.9')
  expect(addressOf(refused, 10)).toBe('203.0.113.9')
  expect(addressOf(event, 10)).toBeUndefined()
})

test('the primary process knows that the worker has logged the failure of a stage', () => {
  const event = { id: 'a', body: parseBody(Buffer.from('{}'), 10), receivedAt: 1 }
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'No.')
  const { decided, context } = overTheWire({ event, digest: '', verdict: { kind: 'reject', error } })
  expect(decided.verdict).toMatchObject({ kind: 'reject', error: { code: error.code, message: 'No.' } })
  expect('error' in decided.verdict && decided.verdict.error).toBe(context.failure)
})
