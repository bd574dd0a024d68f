import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { deferred } from '../helpers/deferred.js'
import { movableClocks } from '../helpers/movable-clocks.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, TERMS } from './setup.js'

test('the same id with the same bytes is a duplicate of the first, with its receipt', async () => {
  const { take, kafka } = await openLedger()
  const first = await take(eventOf('a'))
  expect(await take(eventOf('a'))).toEqual({ ...first, kind: 'duplicate' })
  expect(kafka.records).toHaveLength(1)
})

test('the same id with other bytes is another event', async () => {
  const { take } = await openLedger()
  await take(eventOf('a', { n: 1 }))
  expect(await take(eventOf('a', { n: 2 }))).toMatchObject({ kind: 'delivered' })
})

test('copies in flight at once share one run', async () => {
  const { ledger, kafka } = await openLedger()
  const { promise, resolve } = deferred()
  const deliver = vi.fn((digest: string) => promise.then(() => kafka.append('a', digest)))
  const outcomes = Promise.all([ledger.once(eventOf('a'), deliver), ledger.once(eventOf('a'), deliver)])
  resolve()
  expect((await outcomes).map(({ kind }) => kind)).toEqual(['delivered', 'duplicate'])
  expect(deliver).toHaveBeenCalledOnce()
})

test('an event whose outcome is unavailable is delivered when it comes again', async () => {
  const { ledger, take } = await openLedger()
  const error = new HeadgateError('HG_KAFKA_QUEUE_FULL', 'full')
  await ledger.once(eventOf('a'), async () => ({ kind: 'unavailable', id: 'a', error }))
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('a duplicate makes its acknowledgement pending again, once', async () => {
  const opened = await openLedger()
  await opened.take(eventOf('a'))
  const pending = opened.due()
  if (pending) opened.ledger.acknowledged(pending)
  expect(opened.ledger.backlog().count).toBe(0)
  await opened.take(eventOf('a'))
  await opened.take(eventOf('a'))
  expect(opened.ledger.backlog().count).toBe(1)
})

test('beyond the redelivery window an event is new', async () => {
  const clocks = movableClocks()
  const { take } = await openLedger({ window: 1000 })
  await take(eventOf('a'))
  clocks.pass(1001)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('at maxPending new events are unavailable, and redeliveries are still duplicates', async () => {
  const { take, due, ledger } = await openLedger({ maxPending: 2 })
  for (const id of ['a', 'b']) await take(eventOf(id))
  expect(await take(eventOf('c'))).toMatchObject({ kind: 'unavailable', error: { code: 'HG_LEDGER_FULL' } })
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  const pending = due()
  if (pending) ledger.acknowledged(pending)
  expect(await take(eventOf('c'))).toMatchObject({ kind: 'delivered' })
})

test('changed limits apply at once', async () => {
  const { ledger, take, kafka } = await openLedger()
  await take(eventOf('a'))
  ledger.change({ ...TERMS, log: kafka, maxPending: 1 }, undefined)
  expect(await take(eventOf('b'))).toMatchObject({ error: { code: 'HG_LEDGER_FULL' } })
  ledger.change({ ...TERMS, log: kafka, stages: 0 }, () => Number.POSITIVE_INFINITY)
  expect(ledger.backlog().count).toBe(0)
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
})
