import { expect, test, vi } from 'vitest'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { testContext } from '../helpers/context.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, TERMS, type TestLedger, takeIds } from './setup.js'

const MANY = 25_000

/** The acknowledgement of every event has failed once and is due again; so many do not stay in memory. */
async function withFailing(): Promise<TestLedger> {
  const opened = await openLedger({ maxPending: 1_000_000, entries: 200_000 })
  const { ledger } = opened
  for (let event = 0; event < MANY; event++) {
    await opened.take(eventOf(`bad-${event}`))
    const pending = ledger.take(0, ledger.now(), true)
    if (pending) ledger.retry(pending, ledger.now())
  }
  return opened
}

/** Takes so many acknowledgements, and returns those without an attempt; all others fail again. */
function newAmongNext({ ledger }: TestLedger, count: number): string[] {
  const newIds: string[] = []
  for (let at = 0; at < count; at++) {
    const pending = ledger.take(0, ledger.now())
    if (pending === undefined) continue
    if (pending.attempts === 0) {
      newIds.push(pending.committed.id)
      ledger.acknowledged(pending)
    } else ledger.retry(pending, ledger.now())
  }
  return newIds
}

test('failing acknowledgements that are spilled to disk do not hold up new ones, nor after a restart', async () => {
  const before = await withFailing()
  await before.ledger.refill()
  await before.take(eventOf('good-1'))
  expect(newAmongNext(before, 10)).toEqual(['good-1'])

  await before.take(eventOf('good-2'))
  await before.stop()
  const after = await openLedger({ ...before, maxPending: 1_000_000, entries: 200_000 })
  await after.take(eventOf('good-3'))
  expect(after.ledger.backlog().count).toBe(MANY + 2)
  await after.ledger.refill()
  expect(newAmongNext(after, 20).toSorted()).toEqual(['good-2', 'good-3'])
}, 60_000)

test('when failing acknowledgements succeed at last, each is made once', async () => {
  const opened = await withFailing()
  const { ledger } = opened
  const done = new Set<string>()
  for (let round = 0; round < 50 && ledger.backlog().count > 0; round++) {
    for (;;) {
      const pending = ledger.take(0, ledger.now())
      if (pending === undefined) break
      done.add(pending.committed.id)
      ledger.acknowledged(pending)
    }
    await ledger.refill()
  }
  expect([done.size, ledger.backlog().count]).toEqual([MANY, 0])
}, 60_000)

test('without a post-commit stage nothing is pending, and maxPending does not apply', async () => {
  const { take, ledger } = await openLedger({ stages: 0, maxPending: 1 })
  for (const id of ['a', 'b', 'c']) expect(await take(eventOf(id))).toMatchObject({ kind: 'delivered' })
  expect(ledger.backlog().count).toBe(0)
})

test('an acknowledgement passes its stages in order and is pending until the last', async () => {
  const { take, due, ledger } = await openLedger({ stages: 2 })
  await take(eventOf('a'))
  expect(due(1)).toBeUndefined()
  const first = due(0)
  if (first) ledger.acknowledged(first)
  expect(ledger.backlog().count).toBe(1)
  const second = due(1)
  if (second) ledger.acknowledged(second)
  expect(ledger.backlog().count).toBe(0)
})

test('acknowledgements that do not fit into memory are spilled to disk, and every one of them is taken', async () => {
  const many = 45_000
  const opened = await openLedger({ maxPending: many, entries: many, withoutLog: true })
  let offset = 0
  for (let n = 0; n < many; n++) {
    const receipt = { topic: 'events', partition: 0, offset: offset++ }
    await opened.ledger.once(eventOf(String(n)), async () => ({ kind: 'delivered', id: String(n), receipt }))
  }
  const taken = new Set<string>()
  const takeAll = () => {
    for (let due = opened.due(); due !== undefined; due = opened.due()) {
      taken.add(due.committed.id)
      opened.ledger.acknowledged(due)
    }
    return taken.size
  }
  await expect.poll(takeAll, { timeout: 20_000 }).toBe(many)
  expect(opened.ledger.backlog().count).toBe(0)
}, 30_000)

test('an orderly stop spills all acknowledgements in memory, those in flight too, and the next start loads them at once', async () => {
  const before = await openLedger()
  for (const id of ['a', 'b', 'c']) await before.take(eventOf(id))
  before.due()
  await before.stop()

  const { database, close } = await openStateDirectory(before.directory, testContext().log)
  const state = await LedgerStore.open(database, 'orders', { window: 60_000, entries: 100 })
  expect(state.pending.load(true)).toEqual([])
  expect(state.pending.loadSpilled([10])).toHaveLength(3)
  state.close(true)
  await close()

  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(takeIds(after).toSorted()).toEqual(['a', 'b', 'c'])
  expect(after.ledger.backlog().count).toBe(3)
})

test('an acknowledgement that failed while the disk was full is listed at once, and written later', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const disk = vi.spyOn(before.state.database, 'batch').mockRejectedValue(new Error('ENOSPC'))
  const pending = before.due()
  if (pending) before.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: 'answered 404' })
  await expect.poll(() => before.ledger.notReady()).not.toEqual([])
  expect((await before.ledger.report()).failed).toMatchObject({ count: 1, first: [{ id: 'a' }] })
  disk.mockRestore()
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect((await after.ledger.report()).failed).toMatchObject({ count: 1, first: [{ id: 'a' }] })
  expect(after.ledger.backlog()).toMatchObject({ count: 0, failed: 1 })
})

test('a failed acknowledgement is listed with its reason, survives a restart, and can be made pending again', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const pending = before.due()
  if (pending) before.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: 'answered 404' })
  expect(before.ledger.backlog().count).toBe(0)
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(after.due()).toBeUndefined()
  expect((await after.ledger.report()).failed).toMatchObject({
    count: 1,
    first: [{ id: 'a', reason: { message: 'answered 404' } }],
  })
  expect(await after.ledger.retryFailed()).toBe(1)
  expect(after.due()).toMatchObject({ committed: { id: 'a', receipt: { offset: 0 } }, attempts: 0 })
  await expect.poll(async () => (await after.ledger.report()).failed.count).toBe(0)
})

test('a failed acknowledgement is retried at its stage, wherever that is now; without a stage it is not made pending again', async () => {
  const { ledger, take, due, kafka, state } = await openLedger({ stages: 2 })
  for (const id of ['a', 'b']) {
    await take(eventOf(id))
    const pending = due()
    if (pending && id === 'a') ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: '404' })
    else if (pending) {
      ledger.acknowledged(pending)
      const second = due(1)
      if (second) ledger.failed(second, { code: 'HG_ACK_GAVE_UP', message: '404' })
    }
  }
  await state.database.committed
  ledger.change({ ...TERMS, log: kafka, stages: 2 }, (stage) => (stage === 0 ? 1 : Number.POSITIVE_INFINITY))
  await state.database.committed
  expect(await ledger.retryFailed()).toBe(2)
  expect(due(1)).toMatchObject({ committed: { id: 'a' }, stage: 1 })
  expect(due(0)).toBeUndefined()
  expect(ledger.backlog().count).toBe(1)
})

test('spilled acknowledgements move to the new stages, too', async () => {
  const { ledger, take, kafka } = await openLedger({ stages: 2, maxPending: 100_000, entries: 100_000 })
  for (let n = 0; n < 20_050; n++) await take(eventOf(`event-${n}`))
  ledger.change({ ...TERMS, log: kafka, stages: 3 }, (stage) => stage + 1)
  const told: number[] = []
  await vi.waitUntil(
    () => {
      for (
        let pending = ledger.take(1, Date.now());
        pending !== undefined;
        pending = ledger.take(1, Date.now())
      ) {
        told.push(pending.stage)
        ledger.acknowledged(pending)
      }
      for (
        let pending = ledger.take(2, Date.now());
        pending !== undefined;
        pending = ledger.take(2, Date.now())
      )
        ledger.acknowledged(pending)
      return ledger.backlog().count === 0
    },
    { timeout: 15_000 },
  )
  expect(told).toHaveLength(20_050)
})
