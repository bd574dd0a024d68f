import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import rdkafka, { type LibrdKafkaError, type WatermarkOffsets } from 'node-rdkafka'
import type { Event, Log, Outcome } from '../../src/contract/index.js'
import { DurableLedger } from '../../src/ledger/durable-ledger.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { recordMac } from '../../src/pipeline/record-mac.js'

/** The records with pending acknowledgements. */
interface Records {
  readonly pipeline: string
  /** All of them are in its first partition, from offset 0 on. */
  readonly topic: string
  readonly count: number
}

/** The defaults of the config. */
const LIMITS = { window: 24 * 3600 * 1000, entries: 100_000 }
/** About the number of events between two writes. */
const AT_A_TIME = 5000

/**
 * Makes a state directory with a pending acknowledgement for each of these records. The ledger itself writes it, as
 * in a Headgate whose sender accepts none of them and that is then stopped in order.
 */
export async function storePendingAcks(
  directory: string,
  { pipeline, topic, count }: Records,
): Promise<void> {
  const state = await openStateDirectory(directory, LOG)
  const ledger = new DurableLedger({
    ...LIMITS,
    pipeline,
    mac: recordMac('bench'),
    by: 'id+bytes',
    openStore: (limits) => LedgerStore.open(state.database, pipeline, limits),
    // The topic has other records: nothing must be read from it.
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

/** Milliseconds. */
const FLUSHED_WITHIN = 60_000
const TIMEOUT = 10_000
const PAUSE_WHEN_FULL = 5
const EMPTY = Buffer.alloc(0)

/** Writes records to the first partition of a topic, as small as possible: only their last offset matters. */
export async function fillTopic(brokers: string, topic: string, count: number): Promise<void> {
  const producer = new rdkafka.Producer({
    'bootstrap.servers': brokers,
    'enable.idempotence': true,
    'linger.ms': 20,
    'batch.num.messages': 50_000,
  })
  await done((ended) => producer.connect({ allTopics: false }, ended))
  // Its reports free space in its queue, although nothing reads them.
  producer.setPollInterval(PAUSE_WHEN_FULL)
  try {
    for (let sent = 0; sent < count; ) {
      if (send(producer, topic)) sent++
      else await delay(PAUSE_WHEN_FULL)
    }
    await done((ended) => producer.flush(FLUSHED_WITHIN, ended))
    const { highOffset } = await done<WatermarkOffsets>((ended) =>
      producer.queryWatermarkOffsets(topic, 0, TIMEOUT, ended),
    )
    if (highOffset !== count)
      throw new Error(`The topic ${topic} has ${highOffset} records instead of ${count}.`)
  } finally {
    await done((ended) => producer.disconnect(ended))
  }
}

/** False if the producer's queue is full at present. */
function send(producer: rdkafka.Producer, topic: string): boolean {
  try {
    producer.produce(topic, 0, EMPTY)
    return true
  } catch (error) {
    if ((error as LibrdKafkaError).code === rdkafka.CODES.ERRORS.ERR__QUEUE_FULL) return false
    throw error
  }
}

type Ended<Result> = (error?: LibrdKafkaError | null, result?: Result) => void

const done = <Result>(start: (ended: Ended<Result>) => void): Promise<Result> =>
  new Promise((resolve, reject) =>
    start((error, result) => (error ? reject(error) : resolve(result as Result))),
  )
