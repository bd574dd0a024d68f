import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { drop, fail, pass } from '../../src/contract/index.js'
import { ReceivedRequest } from '../../src/http/request.js'
import type { CompletedEvent } from '../../src/pipeline/taps.js'
import { deferred } from '../helpers/deferred.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { workerPair } from './worker-pair.js'

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const DEAD_LETTERS = {
  transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
  deadLetter: { topic: 'dead' },
}
const event = { ...eventOf('a', { payload: { n: 1 } }), traceparent: TRACEPARENT, tracestate: 'a=b' }

test('the record of an event that a worker took is the one that one process would have written', async () => {
  const { inline, intake } = await workerPair()
  const alone = await runningPipeline()
  expect(await intake(() => event)).toEqual(await alone.inline.intake(() => event))
  expect(inline.written).toHaveLength(1)
  expect(inline.written).toEqual(alone.inline.written)
})

test('so is a dead letter, of a transform and of the sink', async () => {
  const { inline, intake } = await workerPair({
    ...DEAD_LETTERS,
    sink: { plugin: 'memory', onError: 'dead-letter' },
  })
  const alone = await runningPipeline({ ...DEAD_LETTERS, sink: { plugin: 'memory', onError: 'dead-letter' } })
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'No.', {
    violations: [{ pointer: '/payload', message: 'is wrong' }],
  })
  for (const plugins of [inline, alone.inline]) plugins.apply = () => fail(error)
  expect(await intake(() => event)).toMatchObject({ kind: 'dead-lettered' })
  await alone.inline.intake(() => event)
  for (const plugins of [inline, alone.inline]) {
    plugins.apply = (passed) =>
      pass({ ...passed, route: { name: 'all', target: { topic: 'events', partition: 0 } } })
    let first = true
    plugins.send = async () => {
      if (first) {
        first = false
        throw new HeadgateError('HG_RECORD_TOO_LARGE', 'Too large.')
      }
    }
  }
  const other = { ...event, id: 'b' }
  expect(await intake(() => other)).toMatchObject({ kind: 'dead-lettered' })
  await alone.inline.intake(() => other)
  expect(inline.written.map(({ target }) => target.topic)).toEqual(['dead', 'dead'])
  expect(inline.written).toEqual(alone.inline.written)
})

test('an event that is known is a duplicate, whatever the transforms of the worker say of it', async () => {
  const { inline, intake, metric } = await workerPair()
  const first = await intake(() => event)
  inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'No.'))
  expect(await intake(() => event)).toEqual({ ...first, kind: 'duplicate' })
  inline.apply = () => drop()
  expect(await intake(() => event)).toEqual({ ...first, kind: 'duplicate' })
  expect(await metric('headgate_events_total{pipeline="orders",outcome="duplicate"}')).toBe(2)
})

test('copies that are in flight at once share one record and one outcome', async () => {
  const { inline, intake, primaryPipeline } = await workerPair()
  const { promise, resolve } = deferred()
  inline.send = () => promise
  const outcomes = Promise.all([intake(() => event), intake(() => event)])
  await expect.poll(() => primaryPipeline.traffic.inFlight()).toBe(2)
  resolve()
  expect((await outcomes).map(({ kind }) => kind).sort()).toEqual(['delivered', 'duplicate'])
  expect(inline.written).toHaveLength(1)
})

test.each([
  ['dropped', () => drop()],
  ['rejected', () => fail(new HeadgateError('HG_ROUTE_NO_MATCH', 'No rule matches.', { rule: 'otherwise' }))],
  ['unavailable', () => fail(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Away.', { retryAfter: 7 }))],
] as const)('an event that a worker turns away ends as %s, and is counted once', async (kind, apply) => {
  const { inline, intake, metric, workerMetrics } = await workerPair()
  inline.apply = apply
  const outcome = await intake(() => event)
  expect(outcome).toMatchObject({ kind, id: 'a' })
  const verdict = apply()
  if ('error' in outcome && 'error' in verdict) {
    const { code, message, rule, retryAfter } = verdict.error
    expect(outcome.error).toMatchObject({ code, message, rule, retryAfter })
  }
  expect(await metric(`headgate_events_total{pipeline="orders",outcome="${kind}"}`)).toBe(1)
  expect(workerMetrics.take().filter(({ declaration }) => declaration.name === 'events_total')).toEqual([])
})

test('a request that its source refuses is counted like all events, and logged once', async () => {
  const { intake, metric, workerLines, primaryLines } = await workerPair()
  const error = new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON.')
  const outcome = await intake(() => {
    throw error
  })
  expect(outcome).toMatchObject({
    kind: 'rejected',
    id: undefined,
    error: { code: error.code, message: error.message },
  })
  expect(await metric('headgate_events_total{pipeline="orders",outcome="rejected"}')).toBe(1)
  const logged = (lines: typeof workerLines) => lines.filter(({ message }) => message === error.message)
  expect([logged(workerLines), logged(primaryLines)].map(({ length }) => length)).toEqual([1, 0])
})

test('a record that cannot be made is a failure of the sink, which the worker counts', async () => {
  const { intake, workerMetrics } = await workerPair()
  const outcome = await intake(() => eventOf('a', { no: 'payload' }))
  expect(outcome).toMatchObject({ kind: 'rejected', error: { code: 'HG_RECORD_FIELD_MISSING' } })
  expect(workerMetrics.take()).toContainEqual(
    expect.objectContaining({
      declaration: expect.objectContaining({ name: 'stage_events_total' }),
      labels: { pipeline: 'orders', stage: 'sink.memory', plugin: 'memory', outcome: 'rejected' },
      values: [1],
    }),
  )
})

test('a response names its request as the log of the primary process does, and as its sender does where it has a name', async () => {
  const { inline, intake, primaryLines } = await workerPair()
  inline.send = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Away.'))
  const unnamed = new ReceivedRequest('POST', {})
  const named = new ReceivedRequest('POST', { 'x-request-id': 'from-the-sender' })
  await intake(() => event, unnamed)
  await intake(() => ({ ...event, id: 'b' }), named)
  const ids = primaryLines.flatMap(({ fields }) => ('request_id' in fields ? [fields.request_id] : []))
  expect(ids).toEqual([unnamed.existingId, 'from-the-sender'])
})

test('a success has no name of its request where nobody asked for one', async () => {
  const { intake } = await workerPair()
  const request = new ReceivedRequest('POST', {})
  await intake(() => event, request)
  expect(request.idForResponse(200)).toBeUndefined()
})

test('a tap receives the same as in one process: the event, its rule, and no rule for a duplicate', async () => {
  const { inline, intake, taps } = await workerPair()
  const passed: CompletedEvent[] = []
  taps.add({ offer: (each) => void passed.push(each), attempted() {} })
  await intake(() => event)
  await intake(() => event)
  inline.apply = () => fail(new HeadgateError('HG_ROUTE_NO_MATCH', 'None.', { rule: 'otherwise' }))
  await intake(() => ({ ...event, id: 'b' }))
  await expect.poll(() => passed.length).toBe(3)
  expect(passed.map(({ outcome, rule }) => [outcome.kind, rule])).toEqual([
    ['delivered', 'all'],
    ['duplicate', undefined],
    ['rejected', 'otherwise'],
  ])
  expect(passed[0]?.event?.body.value).toEqual({ payload: { n: 1 } })
  expect(passed[0]?.event?.body.bytes.equals(event.body.bytes)).toBe(true)
})
