import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Event, SinkRecord } from '../../src/contract/index.js'
import type { StageRef } from '../../src/pipeline/decision.js'
import { recordMac } from '../../src/pipeline/record-mac.js'
import { deadLetterRecord } from '../../src/pipeline/records.js'
import { MOST_REQUEST_BYTES } from '../../src/pipeline/request-parts.js'
import { RECORD_OVERHEAD, recordMaker } from '../../src/plugins/sink/kafka/record.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

const by: StageRef = {
  pipeline: 'orders',
  stage: 'transform.1.route',
  plugin: 'route',
  onError: 'dead-letter',
}

/** A dead letter of a pipeline whose sink takes key and headers from the event as the kafka sink does. */
async function letterOf(
  event: Event,
  error: HeadgateError,
): Promise<SinkRecord & { get(name: string): string | undefined }> {
  const { pipeline } = await runningPipeline()
  const { record, ...maker } = recordMaker({
    key: '/key',
    keyFallback: 'refuse',
    value: '/payload',
    headers: { 'event-type': '/type', 'event-timestamp': '/at' },
  })
  const origin = {
    name: 'orders',
    revision: 'abc',
    mac: recordMac('key'),
    sink: { ...pipeline.stages.sink.instance, record, ...maker },
  }
  const target = { topic: 'dlq' }
  const letter = deadLetterRecord(
    origin,
    target,
    event,
    'the-digest',
    { kind: 'dead-letter', error, by },
    '203.0.113.9',
  )
  return { ...letter, get: (name) => letter.headers.find((header) => header.name === name)?.value }
}

const bad = (details: ConstructorParameters<typeof HeadgateError>[2] = {}) =>
  new HeadgateError('HG_SCHEMA_VIOLATION', 'It does not fit.', details)

test('a dead letter has the key and the headers that its record would have had', async () => {
  const letter = await letterOf(eventOf('a', { key: 'k', type: 'Created', at: 5, payload: {} }), bad())
  expect(letter.key?.toString()).toBe('k')
  expect(letter.get('event-type')).toBe('Created')
  expect(letter.get('event-timestamp')).toBe('5')
  expect(letter.get('headgate-digest')).toBe('the-digest')
})

test('if its record could not be made, it has the key and the headers that can be computed', async () => {
  const letter = await letterOf(eventOf('a', { type: 'Created' }), bad())
  expect(letter.key).toBeNull()
  expect(letter.get('event-type')).toBe('Created')
  expect(letter.get('event-timestamp')).toBeUndefined()
})

test('it names the address of the sender', async () => {
  expect((await letterOf(eventOf('a'), bad())).get('headgate-remote-address')).toBe('203.0.113.9')
})

test('it names the rule that decided, or the one that had chosen the target', async () => {
  const event = eventOf('a')
  const routed = { ...event, route: { name: 'eu', target: { topic: 'events' } } }
  expect((await letterOf(event, bad({ rule: 'blocked' }))).get('headgate-route')).toBe('blocked')
  expect((await letterOf(routed, bad())).get('headgate-route')).toBe('eu')
  expect((await letterOf(event, bad())).get('headgate-route')).toBeUndefined()
})

test('its violations can be read by programs and by people', async () => {
  const violations = [{ pointer: '/a: b\n', message: 'is required' }]
  const letter = await letterOf(eventOf('a'), bad({ violations }))
  expect(JSON.parse(letter.get('headgate-violations') ?? '')).toEqual(violations)
  expect(letter.get('__connect.errors.exception.stacktrace')).toBe(
    'HG_SCHEMA_VIOLATION: It does not fit.\n  at /a: b\n: is required',
  )
})

test('all that an event can make long still fits with the largest body of the defaults', async () => {
  const violations = Array.from({ length: 5000 }, (_, n) => ({ pointer: `/items/${n}`, message: 'is wrong' }))
  const long = 'é'.repeat(300_000)
  const event = {
    ...eventOf('ö'.repeat(256), { key: long, type: long, at: 'x' }),
    tracestate: 't'.repeat(512),
    request: { headers: { 'x-long': 'x'.repeat(MOST_REQUEST_BYTES - 30) } },
  }
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', long, { violations })
  const letter = await letterOf(event, error)
  const told = JSON.parse(letter.get('headgate-violations') ?? '') as object[]
  expect(told).toEqual(violations.slice(0, told.length))
  expect(told.length).toBeGreaterThan(100)
  expect(letter.get('__connect.errors.exception.message')).toMatch(/^é+\.\.\.$/)
  expect(letter.key).toBeNull()
  const bytes = letter.headers.reduce(
    (sum, { name, value }) => sum + name.length + Buffer.byteLength(value),
    0,
  )
  // Kafka adds to each batch 61 bytes, and to a record and its headers their lengths.
  expect(bytes + 61 + 25 + 10 * letter.headers.length).toBeLessThan(RECORD_OVERHEAD)
})

test('a NUL in the reason does not cut it off', async () => {
  const error = new HeadgateError('HG_ROUTE_EXPRESSION', 'The member "a\0b" is wrong.')
  const letter = await letterOf(eventOf('a'), error)
  expect(letter.get('__connect.errors.exception.message')).toBe('The member "a\\0b" is wrong.')
})

test('a record that the sink refuses is a dead letter that keeps its route', async () => {
  const { inline } = await runningPipeline({
    sink: { plugin: 'memory', onError: 'dead-letter' },
    deadLetter: { topic: 'dlq' },
  })
  expect(await inline.intake(() => eventOf('a', { no: 'payload' }))).toMatchObject({ kind: 'dead-lettered' })
  const [letter] = inline.written
  expect(letter?.headers).toContainEqual({ name: 'headgate-route', value: 'all' })
  expect(letter?.headers).toContainEqual({ name: '__connect.errors.stage', value: 'TASK_PUT' })
  expect(letter?.value.toString()).toBe('{"no":"payload"}')
})
