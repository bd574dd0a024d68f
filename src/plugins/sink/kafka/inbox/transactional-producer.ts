import rdkafka, { type DeliveryReport, type LibrdKafkaError, type Producer } from 'node-rdkafka'
import { HeadgateError } from '../../../../contract/errors.js'
import type { InboxOffsets, SinkRecord, TransactionResult } from '../../../../contract/index.js'
import type { ClientSettings } from '../client-settings.js'
import { deliveryFailed, explain, producingFailed } from '../failures.js'
import { type ClientLogLine, connect, Polling, release } from '../producer/producer.js'
import type { ClientConfig } from '../properties.js'
import { headerPairs } from '../record.js'
import { unlessStuck } from '../stuck-calls.js'
import type { GroupConsumer } from './group-consumer.js'
import { errorOf, noTransactions, transactionsNotAllowed } from './requirements.js'

const { ERRORS } = rdkafka.CODES

/** All in milliseconds. */
const CONNECT = 5000
const INIT = 15_000
/** Longer than the transaction itself may take. */
const CALL = 15_000
/** For the reports of a transaction that is aborted. */
const REPORTS = 2000

/** The group does not accept the offsets of this member. */
const FENCED: ReadonlySet<number> = new Set([
  ERRORS.ERR_ILLEGAL_GENERATION,
  ERRORS.ERR_UNKNOWN_MEMBER_ID,
  ERRORS.ERR_REBALANCE_IN_PROGRESS,
  ERRORS.ERR_FENCED_INSTANCE_ID,
  ERRORS.ERR__ASSIGNMENT_LOST,
])

/** The cluster, or a proxy before it, has no transactions. */
const UNSUPPORTED: ReadonlySet<number> = new Set([
  ERRORS.ERR__UNSUPPORTED_FEATURE,
  ERRORS.ERR_UNSUPPORTED_VERSION,
  ERRORS.ERR_INVALID_REQUEST,
])

/** `unknown`: it was committed or aborted. After `isBroken`, the producer must be replaced, which decides it. */
export type Attempt = {
  readonly result: TransactionResult | { readonly kind: 'unknown'; readonly error: HeadgateError }
  readonly isBroken: boolean
}

interface Failed {
  readonly index: number
  readonly error: HeadgateError
}

export interface TransactionalProducerOptions {
  readonly topic: string
  readonly group: string
  /** For commands to paste. */
  readonly cluster: ClientSettings
  clientLog(line: ClientLogLine): void
}

/** One node-rdkafka Producer with a transactional id. It has one transaction at a time. */
export class TransactionalProducer {
  readonly #producer: Producer
  readonly #topic: string
  readonly #polling: Polling
  readonly #pairs = headerPairs()
  /** The opaque of the first record of the transaction. */
  #first = 0
  #awaiting = 0
  #failures: Failed[] = []
  #records: readonly SinkRecord[] = []
  #onReported = (): void => {}
  #isStuck = false

  /** Ends the transaction that a producer with the same transactional id has left open. */
  static async open(
    config: ClientConfig,
    { topic, group, cluster, clientLog }: TransactionalProducerOptions,
  ): Promise<TransactionalProducer> {
    const producer = new rdkafka.Producer({ ...config.global, dr_cb: true }, config.topic)
    producer.on('event.log', clientLog)
    await connect(producer, CONNECT)
    const error = await unlessStuck(call((done) => producer.initTransactions(INIT, done)))
    if (error !== undefined) {
      await release(producer)
      throw initFailed(error, cluster, group)
    }
    return new TransactionalProducer(producer, topic)
  }

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
    this.#polling = new Polling(
      () => producer.poll(),
      () => this.#awaiting > 0,
    )
    producer.on('delivery-report', (error: LibrdKafkaError | null, report: DeliveryReport) =>
      this.#reported(error, report),
    )
  }

  async transaction(
    records: readonly SinkRecord[],
    offsets: InboxOffsets,
    consumer: GroupConsumer,
  ): Promise<Attempt> {
    const begun = await this.#call((done) => this.#producer.beginTransaction(done))
    if (begun !== undefined) return { result: unavailable(begun), isBroken: true }
    this.#produce(records)
    let failed = this.#failures.length === 0 ? await this.#sendOffsets(offsets, consumer) : undefined
    let isUnknown = false
    if (failed === undefined && this.#failures.length === 0) {
      failed = await this.#call((done) => this.#producer.commitTransaction(CALL, done))
      if (failed === undefined) return { result: { kind: 'committed' }, isBroken: false }
      isUnknown = failed.isTxnRequiresAbort !== true
    }
    if (isUnknown) return { result: { kind: 'unknown', error: unavailable(failed).error }, isBroken: true }
    if (this.#isStuck) return { result: unavailable(failed), isBroken: true }
    return this.#abort(failed)
  }

  /** Its transaction, if any, stays open until the next producer with its transactional id opens, or until its timeout. */
  async close(): Promise<void> {
    // Polling a client while it disconnects crashes the process.
    this.#polling.stop()
    if (!this.#isStuck) await release(this.#producer)
  }

  /**
   * A stuck call has failed, and its client must not be disconnected any more. While the coordinator of the group is killed,
   * `sendOffsetsToTransaction` sometimes never returns: librdkafka waits for its own response without its time limit (2.12,
   * rd_kafka_txn_op_req0), and its search for the coordinator has none either: after some errors it goes on when a connection
   * of the client changes, and not before (rdkafka_coord.c, "Rely on state broadcast"). The next producer with the same
   * transactional id ends its transaction.
   */
  async #call(start: Start): Promise<LibrdKafkaError | undefined> {
    try {
      return await unlessStuck(call(start))
    } catch (error) {
      this.#isStuck = true
      return error as LibrdKafkaError
    }
  }

  #produce(records: readonly SinkRecord[]): void {
    this.#first += this.#records.length
    this.#records = records
    this.#failures = []
    this.#awaiting = 0
    for (const [index, { target, key, value, headers }] of records.entries()) {
      try {
        this.#producer.produce(
          target.topic,
          target.partition,
          value,
          key?.length === 0 ? '' : key,
          undefined,
          this.#first + index,
          this.#pairs(headers),
        )
        this.#awaiting++
      } catch (thrown) {
        this.#failures.push({ index, error: producingFailed(thrown, target).error })
        break
      }
    }
    this.#polling.wake()
  }

  /** A transaction without a valid offset would commit none, and report success (librdkafka): there is always one. */
  #sendOffsets(offsets: InboxOffsets, { client }: GroupConsumer): Promise<LibrdKafkaError | undefined> {
    const positions = [...offsets].map(([partition, offset]) => ({ topic: this.#topic, partition, offset }))
    return this.#call((done) =>
      this.#producer.sendOffsetsToTransaction(positions as never, client, CALL, done),
    )
  }

  async #abort(failed: LibrdKafkaError | undefined): Promise<Attempt> {
    const error = await this.#call((done) => this.#producer.abortTransaction(CALL, done))
    await this.#allReported()
    const refused = this.#failures.find((each) => each.error.kind === 'data')
    const [other] = this.#failures
    const result: TransactionResult =
      refused !== undefined
        ? { kind: 'refused', ...refused }
        : failed !== undefined && FENCED.has(failed.code)
          ? { kind: 'fenced' }
          : other !== undefined
            ? { kind: 'unavailable', error: other.error }
            : unavailable(failed)
    return { result, isBroken: error !== undefined || failed?.isFatal === true }
  }

  /** The reports of an aborted transaction come with later polls. */
  async #allReported(): Promise<void> {
    if (this.#awaiting === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, REPORTS)
      this.#onReported = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #reported(error: LibrdKafkaError | null, { opaque }: DeliveryReport): void {
    const index = opaque - this.#first
    const record = this.#records[index]
    // Those of a committed transaction may come during the next.
    if (index < 0 || record === undefined) return
    if (error) this.#failures.push({ index, error: deliveryFailed(error, record.target).error })
    if (--this.#awaiting === 0) this.#onReported()
  }
}

function unavailable(
  error: LibrdKafkaError | undefined,
): Extract<TransactionResult, { kind: 'unavailable' }> {
  const why = error === undefined ? 'the transaction was aborted' : explain(error)
  return {
    kind: 'unavailable',
    error: new HeadgateError('HG_KAFKA_UNAVAILABLE', `A transaction of the inbox failed: ${why}.`, {
      cause: error,
    }),
  }
}

function initFailed(error: LibrdKafkaError, cluster: ClientSettings, group: string): HeadgateError {
  if (UNSUPPORTED.has(error.code)) return errorOf(noTransactions(error.message), error)
  if (error.code === ERRORS.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    return errorOf(transactionsNotAllowed(cluster, group), error)
  const message = `The inbox cannot begin transactions: ${explain(error)}.`
  return new HeadgateError('HG_KAFKA_UNAVAILABLE', message, { cause: error })
}

type Start = (done: (error: LibrdKafkaError | null | undefined) => void) => void

function call(start: Start): Promise<LibrdKafkaError | undefined> {
  return new Promise((resolve) => start((error) => resolve(error ?? undefined)))
}
