import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { drop, fail } from '../../src/contract/index.js'
import { setTargetState } from '../../src/pipeline/lifecycle.js'
import { deferred } from '../helpers/deferred.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

const outcomes = (metric: (series: string) => Promise<number | undefined>) => async (outcome: string) =>
  metric(`headgate_events_total{pipeline="orders",outcome="${outcome}"}`)

test('an event is delivered with the exact bytes of its payload and the headers that tell its origin', async () => {
  const { inline, pipeline } = await runningPipeline()
  const event = {
    ...eventOf('a', { payload: { n: 1 } }),
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  }
  expect(await inline.intake(() => event)).toEqual({
    kind: 'delivered',
    id: 'a',
    receipt: { topic: 'events', partition: 0, offset: 0 },
  })
  expect(inline.written[0]?.value.toString()).toBe('{"n":1}')
  expect(inline.written[0]?.headers).toEqual([
    { name: 'headgate-event-id', value: 'a' },
    { name: 'headgate-digest', value: createHash('sha256').update(event.body.bytes).digest('base64url') },
    { name: 'headgate-pipeline', value: 'orders' },
    { name: 'headgate-mac', value: expect.stringMatching(/^[\w-]{22}$/) },
    { name: 'headgate-revision', value: pipeline.revision },
    { name: 'headgate-route', value: 'all' },
    { name: 'traceparent', value: event.traceparent },
  ])
})

test('the outcome waits for the sink to confirm', async () => {
  const { inline } = await runningPipeline()
  const { promise, resolve } = deferred()
  inline.send = () => promise
  let answered = false
  const outcome = inline
    .intake(() => eventOf('a'))
    .finally(() => {
      answered = true
    })
  await new Promise((done) => setImmediate(done))
  expect(answered).toBe(false)
  expect(inline.acknowledged).toEqual([])
  resolve()
  expect(await outcome).toMatchObject({ kind: 'delivered' })
})

test('a handshake ends with its response, is counted, and is logged even while the pipeline is paused', async () => {
  const { inline, pipeline, metric, lines } = await runningPipeline()
  const response = { status: 200, headers: {}, body: 'challenge' }
  const handshake = { kind: 'handshake', form: 'query', response } as const
  setTargetState(pipeline, 'PAUSED')
  expect(await inline.intake(() => handshake)).toEqual({ ...handshake, id: undefined })
  expect(await outcomes(metric)('handshake')).toBe(1)
  expect(inline.written).toEqual([])
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'info',
      fields: expect.objectContaining({ form: 'query' }),
      message: 'answered the handshake of a sender',
    }),
  )
})

test('a request that the source refuses is rejected, with the reason', async () => {
  const { inline } = await runningPipeline()
  const error = new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON.')
  const outcome = await inline.intake(() => {
    throw error
  })
  expect(outcome).toEqual({ kind: 'rejected', id: undefined, error })
})

test.each([
  ['reject', 'rejected', 0],
  ['drop', 'dropped', 0],
  ['dead-letter', 'dead-lettered', 1],
])('with onError %s, bad data is %s', async (onError, kind, written) => {
  const { inline } = await runningPipeline({
    transforms: [{ plugin: 'everything', onError }],
    deadLetter: { topic: 'dlq' },
  })
  inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'bad'))
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({ kind, id: 'a' })
  expect(inline.written).toHaveLength(written)
})

test('a dead letter has the bytes as received and the reason as Kafka Connect writes it', async () => {
  const { inline, metric } = await runningPipeline({
    transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
    deadLetter: { topic: 'dlq' },
  })
  const violations = [{ pointer: '/payload/n', message: 'should be a number' }]
  inline.apply = () =>
    fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'The event does not fit.', { violations }))
  await inline.intake(() => eventOf('a', { payload: { n: 'x' } }))
  const [letter] = inline.written
  expect(letter?.target).toEqual({ topic: 'dlq' })
  expect(letter?.value.toString()).toBe('{"payload":{"n":"x"}}')
  expect(letter?.key?.toString()).toBe('a')
  const headers = Object.fromEntries(letter?.headers.map(({ name, value }) => [name, value]) ?? [])
  expect(headers).toMatchObject({
    'headgate-event-id': 'a',
    '__connect.errors.connector.name': 'orders',
    '__connect.errors.stage': 'TRANSFORMATION',
    '__connect.errors.exception.class.name': 'HG_SCHEMA_VIOLATION',
    '__connect.errors.exception.message': 'The event does not fit.',
    'headgate-stage': 'transform.0.everything',
  })
  expect(headers['__connect.errors.exception.stacktrace']).toContain('at /payload/n: should be a number')
  const series =
    'headgate_dead_letters_total{pipeline="orders",stage="transform.0.everything",code="HG_SCHEMA_VIOLATION"}'
  expect(await metric(series)).toBe(1)
})

test('a dead letter that cannot be written makes the event unavailable, not lost', async () => {
  const { inline } = await runningPipeline({
    transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
    deadLetter: { topic: 'dlq' },
  })
  inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'bad'))
  inline.send = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'down'))
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({ kind: 'unavailable', id: 'a' })
})

test.each(['reject', 'drop', 'dead-letter'])(
  'with onError %s, a fault of ours is still unavailable',
  async (onError) => {
    const { inline } = await runningPipeline({
      sink: { plugin: 'memory', onError },
      deadLetter: { topic: 'dlq' },
    })
    inline.send = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'down'))
    expect(await inline.intake(() => eventOf('a'))).toMatchObject({
      kind: 'unavailable',
      error: { code: 'HG_KAFKA_UNAVAILABLE' },
    })
  },
)

test('a record that cannot be made is bad data, decided by the onError of the sink', async () => {
  const { inline } = await runningPipeline()
  const outcome = await inline.intake(() => eventOf('a', { other: 1 }))
  expect(outcome).toMatchObject({ kind: 'rejected', error: { code: 'HG_RECORD_FIELD_MISSING' } })
})

test('an unexpected error of a plugin makes the event unavailable, and the log names the plugin', async () => {
  const { inline, lines } = await runningPipeline()
  inline.apply = () => {
    throw new TypeError('undefined is not a function')
  }
  expect(await inline.intake(() => eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_PLUGIN_FAILED' },
  })
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'warn', message: 'everything failed: undefined is not a function' }),
  )
})

test('a transform may answer later', async () => {
  const { inline } = await runningPipeline()
  inline.apply = async () => drop()
  expect(await inline.intake(() => eventOf('a'))).toEqual({ kind: 'dropped', id: 'a' })
})

test('a redelivery of a delivered event is a duplicate, whatever the config says of it now', async () => {
  const { inline, metric } = await runningPipeline({
    transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
    deadLetter: { topic: 'dlq' },
  })
  const event = eventOf('a')
  const first = await inline.intake(() => event)
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'bad')
  const verdicts = [drop(), fail(error), { kind: 'reject', error }, { kind: 'dead-letter', error }] as const
  for (const verdict of verdicts) {
    inline.apply = () => verdict
    expect(await inline.intake(() => event)).toEqual({ ...first, kind: 'duplicate' })
  }
  inline.apply = () => Promise.reject(new Error('broken'))
  expect(await inline.intake(() => event)).toEqual({ ...first, kind: 'duplicate' })
  expect(inline.written).toHaveLength(1)
  expect(await metric('headgate_events_total{pipeline="orders",outcome="duplicate"}')).toBe(5)
})

test('a redelivery is decided again: its stages count it', async () => {
  const { inline, metric } = await runningPipeline()
  const event = eventOf('a')
  await inline.intake(() => event)
  await inline.intake(() => event)
  const series =
    'headgate_stage_events_total{pipeline="orders",stage="transform.0.everything",plugin="everything",outcome="passed"}'
  expect(await metric(series)).toBe(2)
})

test('every event received ends in exactly one counted outcome', async () => {
  const { inline, metric } = await runningPipeline()
  await inline.intake(() => eventOf('delivered'))
  await inline.intake(() => eventOf('delivered'))
  await inline.intake(() => eventOf('rejected', {}))
  inline.apply = () => drop()
  await inline.intake(() => eventOf('dropped'))
  inline.apply = () => Promise.reject(new Error('broken'))
  await inline.intake(() => eventOf('unavailable'))
  const counted = outcomes(metric)
  expect(
    await Promise.all(
      ['delivered', 'duplicate', 'rejected', 'dropped', 'unavailable', 'dead-lettered'].map(counted),
    ),
  ).toEqual([1, 1, 1, 1, 1, 0])
  expect(await metric('headgate_inflight_events{pipeline="orders"}')).toBe(0)
  expect(await metric('headgate_inflight_events_limit{pipeline="orders"}')).toBe(500)
})

test('events that are durable or dropped on purpose are acknowledged; refused ones are not', async () => {
  const { inline } = await runningPipeline()
  await inline.intake(() => eventOf('refused', {}))
  await inline.intake(() => eventOf('delivered'))
  inline.apply = () => drop()
  await inline.intake(() => eventOf('dropped'))
  await expect.poll(() => inline.acknowledged.map(({ id }) => id)).toEqual(['delivered', 'dropped'])
})
