import { expect, test } from 'vitest'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'

const LIMITS = { window: 60_000, entries: 100 }

const ack = (offset: number, spilled: boolean) => ({
  key: [1, offset] as const,
  committed: { id: `event-${offset}` },
  committedAt: 1000,
  stage: 0,
  attempts: 0,
  dueAt: 1000,
  spilled,
})

/** The state at the next start, after `fill` and an orderly stop. */
async function restarted(fill: (state: LedgerStore) => void): Promise<LedgerStore> {
  const { database } = await openStateDirectory(temporaryDirectory(), testContext().log)
  const before = await LedgerStore.open(database, 'orders', LIMITS)
  fill(before)
  await before.flush()
  before.close(true)
  return LedgerStore.open(database, 'orders', LIMITS)
}

test('pending acknowledgements are counted at a start, spilled or not', async () => {
  const state = await restarted(({ pending }) => {
    pending.add(ack(0, false))
    pending.add(ack(1, true))
  })
  expect(state.pending.count).toBe(2)
})

test('after an orderly stop, which spills everything, nothing is searched', async () => {
  const state = await restarted(({ pending }) => pending.add(ack(0, true)))
  expect(state.pending.load(true)).toEqual([])
  expect(state.pending.loadSpilled([10])).toMatchObject([{ committed: { id: 'event-0' } }])
})

test('acknowledgements that an orderly stop of an older version did not spill are found', async () => {
  const state = await restarted(({ pending }) => {
    pending.add(ack(0, false))
    pending.add(ack(1, true))
  })
  expect(state.pending.load(true)).toMatchObject([{ committed: { id: 'event-0' } }])
})

test('after a crash all pending acknowledgements are read', async () => {
  const state = await restarted(({ pending }) => {
    pending.add(ack(0, true))
    pending.add(ack(1, false))
  })
  expect(state.pending.load(false)).toMatchObject([{ committed: { id: 'event-1' } }])
})

test('millions of pending acknowledgements are read in slices, each once', async () => {
  const count = 4500
  const state = await restarted(({ pending }) => {
    for (let offset = 0; offset < count; offset++) pending.add({ ...ack(offset, true), committedAt: offset })
  })
  const seen: (readonly number[])[] = []
  for await (const times of state.pending.committedTimes()) seen.push(times)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.flat()).toEqual(Array.from({ length: count }, (_, offset) => offset))
})

test('reading the pending acknowledgements does not hold up a stop', async () => {
  const state = await restarted(({ pending }) => {
    for (let offset = 0; offset < 4500; offset++) pending.add(ack(offset, true))
  })
  let slices = 0
  for await (const _ of state.pending.committedTimes()) {
    slices++
    state.close(true)
  }
  expect(slices).toBe(1)
})
