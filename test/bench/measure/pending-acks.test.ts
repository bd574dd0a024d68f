import { expect, test } from 'vitest'
import { storePendingAcks } from '../../../bench/measure/pending-acks.js'
import { openStateDirectory } from '../../../src/ledger/state-directory.js'
import { LedgerStore } from '../../../src/ledger/store.js'
import { temporaryDirectory, testContext } from '../../helpers/context.js'

test('the ledger has a pending acknowledgement for each record up to the end, all of them on disk', async () => {
  const directory = temporaryDirectory()
  await storePendingAcks(directory, { pipeline: 'bench', topic: 'events', count: 25_000 })
  const { database, close } = await openStateDirectory(directory, testContext().log)
  const state = await LedgerStore.open(database, 'bench', { window: 60_000, entries: 100_000 })

  expect(state.pending.count).toBe(25_000)
  expect(state.pending.load(true)).toEqual([])
  expect(state.pending.loadSpilled([30_000])).toHaveLength(25_000)
  expect(state.checkpoint('events', 0)).toBe(25_000)
  expect(state.takeCleanStop()).toBe(true)
  state.close(true)
  await close()
}, 30_000)
