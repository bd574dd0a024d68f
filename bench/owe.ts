import { randomBytes, randomUUID } from 'node:crypto'
import type { Event, Log, Outcome } from '../src/contract/index.js'
import { DurableLedger } from '../src/ledger/durable-ledger.js'
import { openStateDirectory } from '../src/ledger/state-directory.js'
import { LedgerStore } from '../src/ledger/store.js'
import { recordMac } from '../src/pipeline/record-mac.js'

/** Where the records are whose acknowledgements are owed. */
export interface Records {
  readonly pipeline: string
  /** All of them are in its first partition, from offset 0 on. */
  readonly topic: string
  readonly count: number
}

/** The defaults of the config. */
const LIMITS = { window: 24 * 3600 * 1000, entries: 100_000 }
/** About what comes in between two writes. */
const AT_A_TIME = 5000

/**
 * Makes a state directory, with an acknowledgement owed for each of these records: by the ledger itself, as in a Headgate
 * whose sender takes none of them, and which is then stopped in order.
 */
export async function owe(directory: string, { pipeline, topic, count }: Records): Promise<void> {
  const state = await openStateDirectory(directory, LOG)
  const ledger = new DurableLedger({
    ...LIMITS,
    pipeline,
    mac: recordMac('bench'),
    by: 'id+bytes',
    openStore: (limits) => LedgerStore.open(state.database, pipeline, limits),
    // The topic has records, but not theirs: nothing must be read from it.
    log: undefined,
    maxPending: Number.POSITIVE_INFINITY,
    stages: 1,
    logger: LOG,
    signal: new AbortController().signal,
  })
  await ledger.start()
  for (let first = 0; first < count; first += AT_A_TIME) {
    const offsets = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, index) => first + index)
    await Promise.all(
      offsets.map((offset) => {
        const event = newEvent()
        const receipt = { topic, partition: 0, offset }
        return ledger.once(
          event,
          async (): Promise<Outcome> => ({ kind: 'delivered', id: event.id, receipt }),
        )
      }),
    )
    await ledger.refill()
  }
  await ledger.stop()
  await state.close()
}

/** With the trace context of a sender: rows are as long as they usually get. */
function newEvent(): Event {
  const id = randomUUID()
  const bytes = Buffer.from(id)
  return {
    id,
    body: { bytes, value: id, slice: () => undefined },
    receivedAt: Date.now(),
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
  }
}

const fail = (fields: object, message: string): never => {
  throw new Error(`${message} ${JSON.stringify(fields)}`)
}
const LOG: Log = { debug() {}, info() {}, warn: fail, error: fail }
