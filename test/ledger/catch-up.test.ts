import fc from 'fast-check'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { catchUp, newProgress } from '../../src/ledger/catch-up.js'
import { identityOf } from '../../src/ledger/identity.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { memoryTopics } from '../helpers/kafka/memory-topics.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const WINDOW = 3_600_000

/** Writes a record a second into these partitions, and recovers a state that has nothing of them. */
async function indexed(
  partitions: readonly number[],
  entries: number,
  lookUp = (time: number) => time,
): Promise<number[]> {
  const { log: logger } = testContext()
  const topics = memoryTopics({ events: 4 })
  for (const [n, partition] of partitions.entries()) {
    vi.setSystemTime(Date.now() + 1000)
    const target = { topic: 'events', partition }
    await topics.send({ target, key: null, value: Buffer.from(String(n)), headers: [] })
  }
  const directory = await openStateDirectory(temporaryDirectory(), logger)
  const store = await LedgerStore.open(directory.database, 'orders', { window: WINDOW, entries })
  const seen: number[] = []
  const options = {
    log: () => ({
      ...topics.log,
      offsetsAt: (time: number) => topics.log.offsetsAt(lookUp(time)),
    }),
    store,
    window: WINDOW,
    entries,
    logger,
    quiet: false,
    visit: (record: { readonly value: Buffer }, use: { readonly index: boolean }) => {
      if (use.index) seen.push(Number(record.value))
    },
    onReplaced() {},
    reindex: false,
    identityOf,
    signal: new AbortController().signal,
  }
  await catchUp(options, newProgress())
  store.close(false)
  await directory.close()
  return seen.sort((a, b) => a - b)
}

test('new records of a quiet partition are not dropped for old ones of a busy partition', async () => {
  const busy = Array.from({ length: 200 }, (_, n) => 1 + (n % 3))
  const seen = await indexed([...busy, 0], 40)
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => 201 - seen.length + n))
  expect(seen.length).toBeGreaterThanOrEqual(38)
})

test('the newest records of all partitions together are indexed: all of them, or nearly as many as the limit allows', async () => {
  vi.setConfig({ testTimeout: 30_000 })
  onTestFinished(() => vi.resetConfig())
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 60 }),
      fc.integer({ min: 1, max: 80 }),
      async (partitions, entries) => {
        const seen = await indexed(partitions, entries)
        const newest = partitions.map((_, n) => n).slice(partitions.length - seen.length)
        expect(seen).toEqual(newest)
        expect(seen.length).toBeLessThanOrEqual(entries)
        expect(seen.length).toBeGreaterThanOrEqual(Math.floor(Math.min(partitions.length, entries * 0.95)))
      },
    ),
    { numRuns: 40 },
  )
})

test('an empty log is not searched for the start of the redelivery window', async () => {
  const lookUp = vi.fn((time: number) => time)
  expect(await indexed([], 40, lookUp)).toEqual([])
  expect(lookUp).not.toHaveBeenCalled()
  expect(await indexed([0], 40, lookUp)).toEqual([0])
  expect(lookUp).toHaveBeenCalled()
})

test('a log that names its end for every time is read from its start, or as many records as the limit allows', async () => {
  const end = () => Number.POSITIVE_INFINITY
  expect(await indexed([0, 1, 0, 2], 40, end)).toEqual([0, 1, 2, 3])
  expect(await indexed([0, 0, 0, 0], 2, end)).toEqual([2, 3])
})
