import { expect, onTestFinished, test } from 'vitest'
import { warnOfLeftAcks } from '../../src/ledger/left-acks.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'

const NOW = 1000

test('pipelines without a ledger of their own are named with what they left pending, and no others', async () => {
  const { log, lines } = testContext()
  const { database, close } = await openStateDirectory(temporaryDirectory(), log)
  onTestFinished(close)
  const leave = async (pipeline: string, count: number) => {
    const store = await LedgerStore.open(database, pipeline, { window: 60_000, entries: 100 })
    for (let offset = 0; offset < count; offset++)
      store.pending.add({
        key: [1, offset],
        committed: { id: `event-${offset}` },
        ...{ committedAt: NOW, stage: 0, attempts: 0, dueAt: NOW, spilled: true },
      })
    await store.flush()
    store.close(true)
  }
  await leave('orders', 3)
  await leave('invoices', 2)
  await leave('settled', 0)

  warnOfLeftAcks(database, new Set(['invoices']), (pipeline) => ({
    ...log,
    warn: (fields, text) => log.warn({ ...fields, pipeline }, text),
  }))
  expect(lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)).toEqual([
    { pipeline: 'orders', pending: 3 },
  ])
})
