import fc from 'fast-check'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { identityOf } from '../../src/ledger/identity.js'
import { newProgress, readBack } from '../../src/ledger/recovery.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { openPipelineState } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { memoryTopics } from '../helpers/memory-topics.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const WINDOW = 3_600_000

/** Writes a record a second into these partitions, and reads them back with nothing known of them. */
async function remembered(
  partitions: readonly number[],
  entries: number,
  onLookUp = () => {},
): Promise<number[]> {
  const { log: logger } = testContext()
  const topics = memoryTopics({ events: 4 })
  for (const [n, partition] of partitions.entries()) {
    vi.setSystemTime(Date.now() + 1000)
    const target = { topic: 'events', partition }
    await topics.send({ target, key: null, value: Buffer.from(String(n)), headers: [] })
  }
  const directory = await openStateDirectory(temporaryDirectory(), logger)
  const state = await openPipelineState(directory.database, 'orders', { window: WINDOW, entries })
  const seen: number[] = []
  const options = {
    log: () => ({
      ...topics.log,
      offsetsAt: (time: number) => {
        onLookUp()
        return topics.log.offsetsAt(time)
      },
    }),
    state,
    window: WINDOW,
    entries,
    logger,
    quiet: false,
    visit: (record: { readonly value: Buffer }, needed: { readonly remembered: boolean }) => {
      if (needed.remembered) seen.push(Number(record.value))
    },
    replaced() {},
    relearn: false,
    identityOf,
    signal: new AbortController().signal,
  }
  await readBack(options, newProgress(), false)
  state.close(false)
  await directory.close()
  return seen.sort((a, b) => a - b)
}

test('what is new in a quiet partition is not forgotten for what is old in a busy one', async () => {
  const busy = Array.from({ length: 200 }, (_, n) => 1 + (n % 3))
  const seen = await remembered([...busy, 0], 40)
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => 201 - seen.length + n))
  expect(seen.length).toBeGreaterThanOrEqual(38)
})

test('of all partitions together the newest are remembered: all there are, or nearly as many as may be', async () => {
  vi.setConfig({ testTimeout: 30_000 })
  onTestFinished(() => vi.resetConfig())
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 60 }),
      fc.integer({ min: 1, max: 80 }),
      async (partitions, entries) => {
        const seen = await remembered(partitions, entries)
        const newest = partitions.map((_, n) => n).slice(partitions.length - seen.length)
        expect(seen).toEqual(newest)
        expect(seen.length).toBeLessThanOrEqual(entries)
        expect(seen.length).toBeGreaterThanOrEqual(Math.floor(Math.min(partitions.length, entries * 0.95)))
      },
    ),
    { numRuns: 40 },
  )
})

test('where the log is empty, nobody asks since when it has what is to be remembered', async () => {
  const onLookUp = vi.fn()
  expect(await remembered([], 40, onLookUp)).toEqual([])
  expect(onLookUp).not.toHaveBeenCalled()
  expect(await remembered([0], 40, onLookUp)).toEqual([0])
  expect(onLookUp).toHaveBeenCalled()
})
