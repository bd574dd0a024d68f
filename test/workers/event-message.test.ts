import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event, SinkRecord } from '../../src/contract/index.js'
import { parseBody } from '../../src/lib/json/body.js'
import { Passage } from '../../src/pipeline/passage.js'
import type { Pipeline } from '../../src/pipeline/pipeline.js'
import { fromEventMessage, toEventMessage } from '../../src/workers/event-message.js'

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const header = fc.record({ name: fc.string(), value: fc.string({ unit: 'binary' }) })
const body = fc.json().map((text) => Buffer.from(`{"payload":${text}}`))

/** What comes of an event at the other end. */
function handedOver(event: Event, record: SinkRecord) {
  const { message, parts } = toEventMessage(
    { number: 1, generation: 2, pipeline: 3 },
    {
      kind: 'decided',
      received: event,
      digest: 'digest',
      decision: { kind: 'pass', given: { ...event, route: { name: 'rule', target: record.target } } },
      record: () => record,
    },
    new Passage(undefined, performance.now(), 0),
    undefined,
  )
  const traffic = { begin: (_: unknown, startedAt: number) => new Passage(undefined, startedAt, 0) }
  const read = JSON.parse(JSON.stringify(message)) as typeof message
  return fromEventMessage(read, parts, { traffic } as unknown as Pipeline)
}

test('whatever an event and its record are made of, they are the same in the other process', () => {
  fc.assert(
    fc.property(
      fc.record({
        id: fc.string({ unit: 'binary' }),
        body,
        key: fc.option(bytes),
        value: fc.option(bytes),
        headers: fc.array(header, { maxLength: 5 }),
        traced: fc.boolean(),
        partition: fc.option(fc.nat(), { nil: undefined }),
      }),
      ({ id, body, key, value, headers, traced, partition }) => {
        const event: Event = {
          id,
          body: parseBody(body, 1000),
          receivedAt: 1,
          ...(traced && { traceparent: 'parent', tracestate: 'state' }),
        }
        const target = { topic: 'topic', ...(partition !== undefined && { partition }) }
        // Without bytes of its own, the value is what stands in the body.
        const slice = value ?? body.subarray(11, body.length - 1)
        const record = { target, key, value: slice, headers }
        const { handed } = handedOver(event, record)
        if (handed.kind !== 'decided' || handed.decision.kind !== 'pass')
          throw new Error('it was turned away')
        const { received, decision, digest } = handed
        expect(handed.record(decision.given)).toEqual(record)
        expect(digest).toBe('digest')
        const { body: itsBody, ...rest } = received
        const { body: _, ...expected } = event
        expect(rest).toEqual(expected)
        expect([itsBody.bytes, itsBody.value]).toEqual([body, event.body.value])
        expect(decision.given.route).toEqual({ name: 'rule', target })
      },
    ),
  )
})

test('a value that is a part of the body goes once', () => {
  const body = Buffer.from('{"payload":{"n":1}}')
  const event = { id: 'a', body: parseBody(body, 10), receivedAt: 1 }
  const record = { target: { topic: 'topic' }, key: null, value: body.subarray(11, 18), headers: [] }
  const { message, parts } = toEventMessage(
    { number: 1, generation: 1, pipeline: 0 },
    {
      kind: 'decided',
      received: event,
      digest: '',
      decision: { kind: 'pass', given: event },
      record: () => record,
    },
    new Passage(undefined, 0, 0),
    undefined,
  )
  expect(parts).toEqual([body])
  expect(message.decided?.record?.value).toEqual([11, 18])
})

test('the time in the worker counts, and so does what took long there', () => {
  const event = { id: 'a', body: parseBody(Buffer.from('{}'), 10), receivedAt: 1 }
  const passage = new Passage(undefined, performance.now() - 500, 10)
  passage.took('transform.0.slow', 400)
  passage.failureLogged = true
  const { message } = toEventMessage(
    { number: 1, generation: 1, pipeline: 0 },
    {
      kind: 'decided',
      received: event,
      digest: '',
      decision: { kind: 'drop' },
      record: () => ({}) as SinkRecord,
    },
    passage,
    undefined,
  )
  const traffic = { begin: (_: unknown, startedAt: number) => new Passage(undefined, startedAt, 10) }
  const back = fromEventMessage(message, [Buffer.from('{}')], { traffic } as unknown as Pipeline).passage
  expect(back.startedAt).toBeCloseTo(passage.startedAt, 3)
  expect(back).toMatchObject({ stage: 'transform.0.slow', failureLogged: true, event: { id: 'a' } })
  expect(back.stages).toEqual({ 'transform.0.slow': 400 })
})
