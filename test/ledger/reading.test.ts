import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { LogPartition, RecordLog } from '../../src/contract/index.js'
import { identityOf } from '../../src/ledger/identity.js'
import { createReading } from '../../src/ledger/reading.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { openPipelineState } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'

/** Begins to read a log that does not answer until the test lets it fail. */
async function beginReading() {
  const { log: logger, lines } = testContext()
  const directory = await openStateDirectory(temporaryDirectory(), logger)
  const state = await openPipelineState(directory.database, 'orders', { window: 1000, entries: 10 })
  const asked = deferred<LogPartition[]>()
  const reading = createReading({
    log: () => ({ partitions: () => asked.promise, read: async () => {} }) as Partial<RecordLog> as RecordLog,
    options: (log) => ({
      log,
      state,
      window: 1000,
      entries: 10,
      logger,
      relearn: false,
      identityOf,
      visit() {},
      replaced() {},
      signal: new AbortController().signal,
    }),
    opened() {},
  })
  reading.begin({ fence: false, quiet: false })
  const fail = (message: string) => asked.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', message))
  const answer = () => asked.resolve([])
  return { reading, lines, fail, answer }
}

test('a log that cannot be read is a warning, which says that no events are taken', async () => {
  const { reading, lines, fail } = await beginReading()
  fail('No broker.')
  await vi.waitUntil(() => lines.length > 0)
  expect(lines).toMatchObject([
    {
      level: 'warn',
      message: 'no events are taken until the ledger has been read back from Kafka; trying again: No broker.',
    },
  ])
  expect(reading.notReady()).toEqual(['No broker.'])
  reading.stop()
})

test('a log that is closed because Headgate stops is no warning', async () => {
  const { reading, lines, fail } = await beginReading()
  reading.stop()
  fail('Headgate is shutting down.')
  for (let turns = 0; turns < 10; turns++) await turn()
  expect(lines).toEqual([])
})

test('ready() resolves once the log has been read to its end, and at once from then on', async () => {
  const { reading, answer } = await beginReading()
  const resolved = vi.fn()
  const ready = reading.ready().then(resolved)
  await turn()
  expect(resolved).not.toHaveBeenCalled()
  answer()
  await ready
  expect(reading.isOpen()).toBe(true)
  await reading.ready()
  reading.stop()
})

test('ready() rejects when the ledger stops before it has caught up', async () => {
  const { reading } = await beginReading()
  const ready = reading.ready()
  reading.stop()
  const stopped = { code: 'HG_LEDGER_NOT_READY', message: 'The ledger has been stopped.' }
  await expect(ready).rejects.toMatchObject(stopped)
  await expect(reading.ready()).rejects.toMatchObject(stopped)
})
