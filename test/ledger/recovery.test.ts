import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { LogPartition, RecordLog } from '../../src/contract/index.js'
import { identityOf } from '../../src/ledger/identity.js'
import { Recovery } from '../../src/ledger/recovery.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { until } from '../helpers/until.js'

/** Starts to read a log that does not respond until the test says so. */
async function startRecovery() {
  const { log: logger, lines } = testContext()
  const directory = await openStateDirectory(temporaryDirectory(), logger)
  const store = await LedgerStore.open(directory.database, 'orders', { window: 1000, entries: 10 })
  let asked = deferred<LogPartition[]>()
  const recovery = new Recovery({
    instances: () => undefined,
    log: () => ({ partitions: () => asked.promise, read: async () => {} }) as Partial<RecordLog> as RecordLog,
    catchUpOptions: (log) => ({
      log,
      store,
      window: 1000,
      entries: 10,
      logger,
      reindex: false,
      identityOf,
      visit() {},
      onReplaced() {},
      signal: new AbortController().signal,
    }),
    onCaughtUp() {},
  })
  recovery.start({ fence: false, quiet: false })
  // It reads from the next turn on.
  await turn()
  const fail = (message: string) => asked.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', message))
  const answer = () => asked.resolve([])
  /** As a reload does: the old log is closed when the ledger has the new one. */
  const replaceLog = () => {
    const old = asked
    asked = deferred()
    recovery.logChanged()
    old.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'This sink is stopping.'))
  }
  return { recovery, lines, fail, answer, replaceLog }
}

test('a log that cannot be read gives a warning, which says that no events are taken', async () => {
  const { recovery, lines, fail } = await startRecovery()
  fail('No broker.')
  await until(() => lines.length > 0)
  expect(lines).toMatchObject([
    {
      level: 'warn',
      message: 'no events are taken until the ledger has caught up with Kafka; retrying: No broker.',
    },
  ])
  expect(recovery.notReady()).toEqual(['No broker.'])
  recovery.stop()
})

test('a log that is closed because Headgate stops gives no warning', async () => {
  const { recovery, lines, fail } = await startRecovery()
  recovery.stop()
  fail('Headgate is shutting down.')
  for (let turns = 0; turns < 10; turns++) await turn()
  expect(lines).toEqual([])
})

test('ready() resolves once the log has been read to its end, and at once from then on', async () => {
  const { recovery, answer } = await startRecovery()
  const resolved = vi.fn()
  const ready = recovery.ready().then(resolved)
  await turn()
  expect(resolved).not.toHaveBeenCalled()
  answer()
  await ready
  expect(recovery.isOpen).toBe(true)
  await recovery.ready()
  recovery.stop()
})

test('ready() rejects when the ledger stops before it has caught up', async () => {
  const { recovery } = await startRecovery()
  const ready = recovery.ready()
  recovery.stop()
  const stopped = { code: 'HG_LEDGER_NOT_READY', message: 'The ledger has been stopped.' }
  await expect(ready).rejects.toMatchObject(stopped)
  await expect(recovery.ready()).rejects.toMatchObject(stopped)
})

test('a log that a reload closes is no problem: the next one is read at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { recovery, lines, answer, replaceLog } = await startRecovery()
  // Every time in the middle: reloads that come often must not keep the ledger from catching up.
  for (let reload = 0; reload < 5; reload++) {
    replaceLog()
    for (let turns = 0; turns < 10; turns++) await turn()
  }
  answer()
  await recovery.ready()
  expect(lines).toEqual([])
  recovery.stop()
})
