import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ledger } from '../../src/pipeline/ledger.js'
import { memoryLedger } from '../../src/pipeline/memory-ledger.js'
import type { Outcome } from '../../src/plugin.js'
import { deferred } from '../helpers/deferred.js'
import { eventOf } from '../helpers/inline-plugins.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ledgerOf = (limits: object = {}) =>
  memoryLedger({ window: 60_000, entries: 100, maxPending: 100, stages: 1, ...limits })

const receipt = { topic: 'events', partition: 1, offset: 7 }
const delivered = (id: string) => async (): Promise<Outcome> => ({ kind: 'delivered', id, receipt })
const acknowledgeAll = (ledger: Ledger) => {
  for (let due = ledger.take(0, Date.now()); due !== undefined; due = ledger.take(0, Date.now()))
    ledger.acknowledged(0, due)
}

test('the same id with the same bytes is a duplicate of the first, with its place', async () => {
  const ledger = ledgerOf()
  await ledger.once(eventOf('a'), delivered('a'))
  const again = vi.fn(delivered('a'))
  expect(await ledger.once(eventOf('a'), again)).toEqual({ kind: 'duplicate', id: 'a', receipt })
  expect(again).not.toHaveBeenCalled()
})

test('the same id with other bytes is another event', async () => {
  const ledger = ledgerOf()
  await ledger.once(eventOf('a', { n: 1 }), delivered('a'))
  expect(await ledger.once(eventOf('a', { n: 2 }), delivered('a'))).toMatchObject({ kind: 'delivered' })
})

test('copies in flight at once share one run', async () => {
  const ledger = ledgerOf()
  const { promise, resolve } = deferred<Outcome>()
  const deliver = vi.fn(() => promise)
  const outcomes = Promise.all([ledger.once(eventOf('a'), deliver), ledger.once(eventOf('a'), deliver)])
  resolve({ kind: 'delivered', id: 'a', receipt })
  expect((await outcomes).map(({ kind }) => kind)).toEqual(['delivered', 'duplicate'])
  expect(deliver).toHaveBeenCalledOnce()
})

test('an event whose outcome is unavailable is tried anew when it comes again', async () => {
  const ledger = ledgerOf()
  const unavailable: Outcome = { kind: 'unavailable', id: 'a', error: new Error('down') as never }
  await ledger.once(eventOf('a'), async () => unavailable)
  expect(await ledger.once(eventOf('a'), delivered('a'))).toMatchObject({ kind: 'delivered' })
})

test('a duplicate makes its acknowledgement due again, once', async () => {
  const ledger = ledgerOf()
  await ledger.once(eventOf('a'), delivered('a'))
  acknowledgeAll(ledger)
  expect(ledger.backlog().count).toBe(0)
  await ledger.once(eventOf('a'), delivered('a'))
  await ledger.once(eventOf('a'), delivered('a'))
  expect(ledger.backlog().count).toBe(1)
})

test('beyond the redelivery window an event is new', async () => {
  const ledger = ledgerOf({ window: 1000 })
  await ledger.once(eventOf('a'), delivered('a'))
  vi.advanceTimersByTime(1001)
  expect(await ledger.once(eventOf('a'), delivered('a'))).toMatchObject({ kind: 'delivered' })
})

test('the oldest events are forgotten first', async () => {
  const ledger = ledgerOf({ entries: 2 })
  for (const id of ['a', 'b', 'c']) await ledger.once(eventOf(id), delivered(id))
  expect(await ledger.once(eventOf('c'), delivered('c'))).toMatchObject({ kind: 'duplicate' })
  expect(await ledger.once(eventOf('a'), delivered('a'))).toMatchObject({ kind: 'delivered' })
})

test('at the bound of the backlog new events are unavailable and known ones still duplicates', async () => {
  const ledger = ledgerOf({ maxPending: 2 })
  for (const id of ['a', 'b']) await ledger.once(eventOf(id), delivered(id))
  const deliver = vi.fn(delivered('c'))
  expect(await ledger.once(eventOf('c'), deliver)).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_LEDGER_FULL' },
  })
  expect(deliver).not.toHaveBeenCalled()
  expect(await ledger.once(eventOf('a'), deliver)).toMatchObject({ kind: 'duplicate' })
  acknowledgeAll(ledger)
  expect(await ledger.once(eventOf('c'), deliver)).toMatchObject({ kind: 'delivered' })
})

test('without a post-commit stage nothing is owed and nothing is bounded', async () => {
  const ledger = ledgerOf({ stages: 0, maxPending: 1 })
  for (const id of ['a', 'b', 'c'])
    expect(await ledger.once(eventOf(id), delivered(id))).toMatchObject({ kind: 'delivered' })
  expect(ledger.backlog()).toEqual({ count: 0, oldest: undefined })
})

test('an acknowledgement passes its stages in order and is owed until the last', async () => {
  const ledger = ledgerOf({ stages: 2 })
  await ledger.once(eventOf('a'), delivered('a'))
  expect(ledger.take(1, Date.now())).toBeUndefined()
  const first = ledger.take(0, Date.now())
  expect(first?.committed).toEqual({ id: 'a', receipt })
  if (first !== undefined) ledger.acknowledged(0, first)
  expect(ledger.backlog().count).toBe(1)
  const second = ledger.take(1, Date.now())
  if (second !== undefined) ledger.acknowledged(1, second)
  expect(ledger.backlog().count).toBe(0)
})

test('a retried acknowledgement is due when it was asked for and keeps count of its attempts', async () => {
  const ledger = ledgerOf()
  await ledger.once(eventOf('a'), delivered('a'))
  const first = ledger.take(0, Date.now())
  if (first !== undefined) ledger.retry(0, first, Date.now() + 5000)
  expect(ledger.take(0, Date.now())).toBeUndefined()
  expect(ledger.dueAt(0)).toBe(Date.now() + 5000)
  vi.advanceTimersByTime(5000)
  expect(ledger.take(0, Date.now())).toMatchObject({ attempts: 1 })
})

test('whatever is committed, retried, failed and acknowledged: each event is owed until it is settled, oldest first', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('commit' as const), id: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ kind: fc.constantFrom('acknowledge', 'fail', 'retry') }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const ledger = ledgerOf({ entries: 5 })
      const owed = new Set<string>()
      for (const action of steps) {
        vi.advanceTimersByTime(10)
        if ('id' in action) {
          const id = String(action.id)
          await ledger.once(eventOf(id), delivered(id))
          owed.add(id)
        } else {
          const due = ledger.take(0, Date.now())
          expect(due !== undefined).toBe(owed.size > 0)
          if (due === undefined) continue
          if (action.kind === 'retry') ledger.retry(0, due, Date.now())
          else if (action.kind === 'fail') ledger.failed(0, due)
          else ledger.acknowledged(0, due)
          if (action.kind !== 'retry') owed.delete(due.committed.id)
        }
        expect(ledger.backlog().count).toBe(owed.size)
      }
    }),
  )
})
