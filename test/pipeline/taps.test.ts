import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { drop, fail } from '../../src/contract/index.js'
import type { AcknowledgementAttempt, CompletedEvent } from '../../src/pipeline/taps.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

/** A running pipeline with a tap, and the events that the tap receives. */
async function watchedPipeline(settings?: object) {
  const { inline, taps } = await runningPipeline(settings)
  const passed: CompletedEvent[] = []
  const attempts: AcknowledgementAttempt[] = []
  const tap = {
    offer: (each: CompletedEvent) => void passed.push(each),
    attempted: (attempt: AcknowledgementAttempt) => void attempts.push(attempt),
  }
  taps.add(tap)
  const send = async (id: string, json?: unknown) => {
    const before = passed.length
    const outcome = await inline.intake(() => eventOf(id, json))
    await expect.poll(() => passed.length).toBe(before + 1)
    return { outcome, told: passed.at(-1) as CompletedEvent }
  }
  return { inline, taps, tap, passed, attempts, send }
}

test('a tap receives a delivered event with its body, its rule and its outcome', async () => {
  const { send } = await watchedPipeline()
  const { outcome, told } = await send('a', { payload: 7 })
  expect(told.outcome).toBe(outcome)
  expect(told).toMatchObject({
    rule: 'all',
    error: undefined,
    event: { id: 'a', body: { value: { payload: 7 } } },
  })
  expect(told.pipeline.name).toBe('orders')
  expect(told.took).toBeGreaterThan(0)
})

test('a tap receives the record of a delivered event, and the time in each stage from its begin on', async () => {
  const { send } = await watchedPipeline()
  const { told } = await send('a')
  expect(told.record?.headers).toContainEqual({ name: 'headgate-event-id', value: 'a' })
  expect(told.times.map(({ stage }) => stage)).toEqual([
    'source.inline',
    'transform.0.everything',
    'sink.memory',
  ])
  const ends = told.times.map(({ from, ms }) => from + ms)
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(ends.at(-1)).toBeLessThanOrEqual(told.took)
  expect((await send('a')).told.record).toBeUndefined()
})

test('a duplicate has no rule: it was not routed again', async () => {
  const { send } = await watchedPipeline()
  await send('a')
  expect((await send('a')).told).toMatchObject({ outcome: { kind: 'duplicate' }, rule: undefined })
})

test('a tap receives a request that did not become an event, with the reason', async () => {
  const { inline, passed } = await watchedPipeline()
  await inline.intake(() => {
    throw new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON.')
  })
  await expect
    .poll(() => passed)
    .toMatchObject([
      { event: undefined, outcome: { kind: 'rejected' }, error: { code: 'HG_INTAKE_NOT_JSON' } },
    ])
})

test('a tap receives a dead letter with the reason, which its outcome does not have', async () => {
  const { inline, send } = await watchedPipeline({
    transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
    deadLetter: { topic: 'dead' },
  })
  inline.apply = async () => fail(new HeadgateError('HG_ROUTE_REFUSED', 'No.', { rule: 'never' }))
  expect((await send('a')).told).toMatchObject({
    outcome: { kind: 'dead-lettered', receipt: { topic: 'dead' } },
    error: { code: 'HG_ROUTE_REFUSED' },
    rule: 'never',
  })
})

test('a fault of ours keeps the rule that had been chosen', async () => {
  const { inline, send } = await watchedPipeline()
  inline.send = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.'))
  expect((await send('a')).told).toMatchObject({
    outcome: { kind: 'unavailable' },
    error: { code: 'HG_KAFKA_UNAVAILABLE' },
    rule: 'all',
  })
})

test('of a dropped event the stage is asked for the rule, and one that cannot say has none', async () => {
  const { inline, send } = await watchedPipeline()
  inline.apply = drop
  const { told } = await send('a')
  expect(told).toMatchObject({ outcome: { kind: 'dropped' }, rule: undefined })
  expect(await told.askRule?.()).toBeUndefined()
})

test('a tap that is closed receives nothing', async () => {
  const { inline, taps, tap, passed, send } = await watchedPipeline()
  await send('a')
  taps.delete(tap)
  await inline.intake(() => eventOf('b'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(passed).toHaveLength(1)
})
