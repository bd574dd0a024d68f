import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Event, InstanceGroup, Outcome } from '../../src/contract/index.js'
import { DurableLedger } from '../../src/ledger/durable-ledger.js'
import type { DedupBy } from '../../src/ledger/identity.js'
import type { Ledger } from '../../src/ledger/ledger.js'
import type { PendingAck } from '../../src/ledger/rows.js'
import { openStateDirectory, type StateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import type { RecordMac } from '../../src/pipeline/record-mac.js'
import { type LogLine, temporaryDirectory, testContext } from '../helpers/context.js'
import { MAC, type MemoryLog, memoryLog } from '../helpers/kafka/memory-log.js'

export interface TestLedger {
  readonly ledger: Ledger
  readonly directory: string
  readonly kafka: MemoryLog
  readonly lines: LogLine[]
  readonly state: StateDirectory
  /** Takes an event like the pipeline; its record goes into the log. */
  take(event: Event): Promise<Outcome>
  /** Takes the next acknowledgement of a stage from the ledger. */
  due(stage?: number): PendingAck | undefined
  /** An orderly stop, with all changes written. */
  stop(): Promise<void>
  /** The state directory as a kill would leave it now: a copy, because this ledger runs until the test ends. */
  crash(): Promise<string>
}

interface Options {
  readonly directory?: string
  readonly kafka?: MemoryLog
  readonly withoutLog?: boolean
  readonly instances?: InstanceGroup
  readonly mac?: RecordMac
  readonly by?: DedupBy
  readonly window?: number
  readonly entries?: number
  readonly maxPending?: number
  readonly stages?: number
  /** False if the log cannot be read to its end. */
  readonly waitUntilReady?: boolean
}

/** The terms of `openLedger` without its log. */
export const TERMS = {
  mac: MAC,
  by: 'id+bytes' as const,
  window: 60_000,
  entries: 100,
  maxPending: 100,
  stages: 1,
}

/** The ids of all acknowledgements that are due at a stage, taken from the ledger. */
export function takeIds(ledger: TestLedger, stage = 0): string[] {
  const found: string[] = []
  for (let due = ledger.due(stage); due !== undefined; due = ledger.due(stage)) found.push(due.committed.id)
  return found
}

/** An open ledger. The state directory and the log may be those of an earlier one. */
export async function openLedger(options: Options = {}): Promise<TestLedger> {
  const { directory = temporaryDirectory(), kafka = memoryLog(), window = 60_000, entries = 100 } = options
  const { log: logger, lines } = testContext()
  const aborter = new AbortController()
  const state = await openStateDirectory(directory, logger)
  const ledger = new DurableLedger({
    pipeline: 'orders',
    mac: options.mac ?? MAC,
    by: options.by ?? 'id+bytes',
    openStore: () => LedgerStore.open(state.database, 'orders', { window, entries }),
    log: options.withoutLog ? undefined : kafka,
    instances: options.instances,
    logger,
    window,
    entries,
    maxPending: options.maxPending ?? 100,
    stages: options.stages ?? 1,
    signal: aborter.signal,
  })
  await ledger.start()
  let ended: Promise<void> | undefined
  const stop = () => {
    ended ??= ledger.stop().then(() => {
      aborter.abort()
      return state.close()
    })
    return ended
  }
  onTestFinished(stop)
  if (kafka.down === undefined && options.waitUntilReady !== false) await ledger.ready()
  return {
    ledger,
    directory,
    kafka,
    lines,
    state,
    take: (event) => ledger.once(event, async (digest) => kafka.append(event.id, digest)),
    due: (stage = 0) => ledger.take(stage, Date.now()),
    stop,
    async crash() {
      const copy = temporaryDirectory()
      await state.database.backup(join(copy, 'ledger.mdb'), false)
      return copy
    },
  }
}
