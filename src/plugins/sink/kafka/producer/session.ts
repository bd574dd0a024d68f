import rdkafka, { type DeliveryReport, type LibrdKafkaError, type Producer } from 'node-rdkafka'
import type { Receipt, SinkRecord } from '../../../../contract/index.js'
import { deliveryFailed, type Failure, inDoubt, producingFailed, reportText } from '../failures.js'
import type { ClientConfig } from '../properties.js'
import { headerPairs, recordBytes } from '../record.js'
import { type Batched, BatchLimits } from './batch-limits.js'
import { RecordsInFlight, type Sent } from './in-flight.js'
import { type ClientLogLine, connect, metadata, Polling, release } from './producer.js'

export interface SessionEvents {
  log(line: ClientLogLine): void
  /** librdkafka's statistics, as JSON text. */
  statistics(json: string): void
  /** No connection is open. That may be an outage, or a broker has closed an idle connection. */
  disconnected(): void
  delivered(): void
  failed(failure: Failure): void
  /** A broker refused a batch for its size: the topic gets smaller ones from now on. */
  batchesLimited(topic: string, bytes: number): void
  /** The session is unusable from now on. */
  broken(reason: string): void
}

/** The reason to give up a session with the records in flight in it. */
export interface Breakage {
  readonly code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED'
  readonly why: string
}

/** One session with Kafka. */
export interface Session {
  /** Resolves on the delivery report. Rejects with a HeadgateError. */
  send(record: SinkRecord): Promise<Receipt>
  /** How many records are in flight. */
  inFlight(): number
  /** Milliseconds since the last report, while any record is in flight. */
  stalledFor(): number
  /** The number of partitions of a topic; 0 if there is no such topic. Rejects if Kafka does not respond in time. */
  partitions(topic: string, timeout: number): Promise<number>
  /** Rejects if Kafka does not respond in time. */
  ping(timeout: number): Promise<void>
  /** Waits for all reports, or until `signal` is aborted, and disconnects. */
  close(signal: AbortSignal): Promise<void>
  /** Fails the records in flight and disconnects. When it resolves, its sockets are closed: nothing more of it is sent. */
  abandon(breakage: Breakage): Promise<void>
}

const ALL_BROKERS_DOWN = reportText(rdkafka.CODES.ERRORS.ERR__ALL_BROKERS_DOWN)

/** Opens a session. Rejects as `connect` does. */
export async function openSession(
  config: ClientConfig,
  events: SessionEvents,
  timeout: number,
): Promise<Session> {
  const producer = new rdkafka.Producer({ ...config.global, dr_cb: true }, config.topic)
  producer.on('event.log', (line: ClientLogLine) => {
    events.log(line)
    // Only the log distinguishes librdkafka's fatal errors from others (node-rdkafka drops the flag).
    if (line.fac === 'FATAL') events.broken(line.message)
  })
  producer.on('event.stats', ({ message }: { message: string }) => events.statistics(message))
  producer.on('event.error', ({ message }) => {
    if (message === ALL_BROKERS_DOWN) events.disconnected()
  })
  await connect(producer, timeout)
  return new ProducerSession(producer, Number(config.global['batch.size']), events)
}

/** Retries of a record after its batch was refused for another record. */
const MOST_REFUSALS = 5

/** A compacted topic refuses a batch for a record without a key. */
const isInnocent = ({ record }: SentRecord, refusedBatch: Failure['refusedBatch']): boolean =>
  refusedBatch === 'other-record' || (refusedBatch === 'some-record' && record.key !== null)

interface SentRecord extends Sent, Batched {
  readonly opaque: number
  readonly record: SinkRecord
  /** How often a connection had broken when it was sent. */
  breaks: number
  refusals: number
}

/**
 * One node-rdkafka Producer from connect to disconnect. A failed Producer is never used again: it would report every
 * record several times.
 */
class ProducerSession implements Session {
  readonly #producer: Producer
  readonly #events: SessionEvents
  readonly #inFlight = new RecordsInFlight<SentRecord>()
  readonly #pairs = headerPairs()
  readonly #polling: Polling
  readonly #limits: BatchLimits<SentRecord>
  #breaks = 0

  constructor(producer: Producer, batchSize: number, events: SessionEvents) {
    this.#producer = producer
    this.#events = events
    this.#polling = new Polling(
      () => producer.poll(),
      () => this.#inFlight.count > 0,
    )
    this.#limits = new BatchLimits<SentRecord>({
      batchSize,
      bytesOf: ({ record }) => recordBytes(record),
      send: (sent) => this.#transmit(sent),
      lowered: events.batchesLimited,
    })
    producer.on('event.error', () => {
      this.#breaks++
    })
    producer.on('delivery-report', (error: LibrdKafkaError | null, report: DeliveryReport) =>
      this.#reported(error, report),
    )
  }

  send(record: SinkRecord): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const opaque = this.#inFlight.nextOpaque()
      const { target } = record
      const { topic } = target
      const breaks = this.#breaks
      const sent = { opaque, record, target, topic, share: undefined, breaks, refusals: 0, resolve, reject }
      this.#inFlight.add(opaque, sent)
      if (this.#limits.admit(sent)) this.#transmit(sent)
      this.#polling.wake()
    })
  }

  inFlight(): number {
    return this.#inFlight.count
  }

  stalledFor(): number {
    return this.#inFlight.stalledFor()
  }

  async partitions(topic: string, timeout: number): Promise<number> {
    const { topics } = await metadata(this.#producer, { topic, allTopics: false, timeout })
    return topics.find(({ name }) => name === topic)?.partitions.length ?? 0
  }

  async ping(timeout: number): Promise<void> {
    await metadata(this.#producer, { allTopics: false, timeout })
  }

  async close(signal: AbortSignal): Promise<void> {
    // disconnect() drops the reports that have not been delivered to us yet, so it comes after the last one.
    await this.#inFlight.drained(signal)
    await this.abandon({ code: 'HG_KAFKA_NOT_DELIVERED', why: 'Headgate ended first' })
  }

  async abandon({ code, why }: Breakage): Promise<void> {
    this.#limits.clear()
    this.#inFlight.giveUp(code, why)
    // Polling a client while it disconnects crashes the process.
    this.#polling.stop()
    await release(this.#producer)
  }

  #reported(error: LibrdKafkaError | null, report: DeliveryReport): void {
    const { opaque } = report
    const sent = error ? this.#inFlight.find(opaque) : this.#inFlight.settle(opaque)
    if (sent === undefined) return
    if (error) {
      this.#undelivered(sent, error)
      return
    }
    this.#limits.ended(sent)
    this.#events.delivered()
    sent.resolve({ topic: report.topic, partition: report.partition, offset: report.offset })
  }

  #undelivered(sent: SentRecord, error: LibrdKafkaError): void {
    const failure = deliveryFailed(error, sent.target)
    const { refusedBatch } = failure
    if (refusedBatch !== undefined && sent.breaks !== this.#breaks) {
      // An attempt whose response was lost may have been taken, if the topic was changed only then.
      const why = 'its batch was refused after a connection to a broker had broken'
      this.#fail(sent, { error: inDoubt('HG_KAFKA_NOT_DELIVERED', sent.target, why) })
    } else if (refusedBatch === 'size' && this.#limits.refused(sent, this.#inFlight.all())) return
    else if (isInnocent(sent, refusedBatch) && ++sent.refusals <= MOST_REFUSALS) this.#transmit(sent)
    else this.#fail(sent, failure)
  }

  #fail(sent: SentRecord, failure: Failure): void {
    this.#inFlight.settle(sent.opaque)
    this.#limits.ended(sent)
    this.#events.failed(failure)
    sent.reject(failure.error)
  }

  #transmit(sent: SentRecord): void {
    if (this.#inFlight.find(sent.opaque) === undefined) return
    sent.breaks = this.#breaks
    const { target, key, value, headers } = sent.record
    // node-rdkafka makes null of an empty Buffer (src/producer.cc), and an empty key of an empty string.
    const keyOrText = key?.length === 0 ? '' : key
    try {
      this.#producer.produce(
        target.topic,
        target.partition,
        value,
        keyOrText,
        undefined,
        sent.opaque,
        this.#pairs(headers),
      )
    } catch (thrown) {
      this.#fail(sent, producingFailed(thrown, sent.target))
    }
  }
}
