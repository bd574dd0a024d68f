import { expect, test } from 'vitest'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { openPipelineState, type PipelineState } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'

const LIMITS = { window: 60_000, entries: 100 }

const owed = (offset: number, parked: boolean) => ({
  key: [1, offset] as const,
  committed: { id: `event-${offset}` },
  committedAt: 1000,
  stage: 0,
  attempts: 0,
  dueAt: 1000,
  parked,
})

/** What the next start finds of what was owed when the state was closed. */
async function restarted(fill: (state: PipelineState) => void): Promise<PipelineState> {
  const { database } = await openStateDirectory(temporaryDirectory(), testContext().log)
  const before = await openPipelineState(database, 'orders', LIMITS)
  fill(before)
  await before.flush()
  before.close(true)
  return openPipelineState(database, 'orders', LIMITS)
}

test('what is owed is counted at a start, parked or not', async () => {
  const state = await restarted(({ owe }) => {
    owe(owed(0, false))
    owe(owed(1, true))
  })
  expect(state.owedCount()).toBe(2)
})

test('after a stop in order with all of it parked nothing is looked for', async () => {
  const state = await restarted(({ owe }) => owe(owed(0, true)))
  expect(state.loadOwed(true)).toEqual([])
  expect(state.unpark([10])).toMatchObject([{ committed: { id: 'event-0' } }])
})

test('what a stop in order has left in memory, as versions before did, is found', async () => {
  const state = await restarted(({ owe }) => {
    owe(owed(0, false))
    owe(owed(1, true))
  })
  expect(state.loadOwed(true)).toMatchObject([{ committed: { id: 'event-0' } }])
})

test('after a crash all of it is looked at', async () => {
  const state = await restarted(({ owe }) => {
    owe(owed(0, true))
    owe(owed(1, false))
  })
  expect(state.loadOwed(false)).toMatchObject([{ committed: { id: 'event-1' } }])
})

test('when millions are owed, they are looked at some at a time, each once', async () => {
  const count = 4500
  const state = await restarted(({ owe }) => {
    for (let offset = 0; offset < count; offset++) owe({ ...owed(offset, true), committedAt: offset })
  })
  const seen: (readonly number[])[] = []
  for await (const times of state.committedTimes()) seen.push(times)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.flat()).toEqual(Array.from({ length: count }, (_, offset) => offset))
})

test('who looks at what is owed is not in the way of a stop', async () => {
  const state = await restarted(({ owe }) => {
    for (let offset = 0; offset < 4500; offset++) owe(owed(offset, true))
  })
  let slices = 0
  for await (const _ of state.committedTimes()) {
    slices++
    state.close(true)
  }
  expect(slices).toBe(1)
})
