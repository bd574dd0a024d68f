import rdkafka, { type DeliveryReport, type LibrdKafkaError, type Producer } from 'node-rdkafka'
import { HeadgateError } from '../../../contract/errors.js'
import type { Receipt, SinkRecord } from '../../../contract/index.js'
import { type Batched, createBatchLimits } from './batch-limits.js'
import { deliveryFailed, explain, type Failure, inDoubt, producingFailed, reportText } from './failures.js'
import { headerPairs } from './header-pairs.js'
import { createOutstanding, type Sent } from './outstanding.js'
import { startPolling } from './polling.js'
import type { ClientConfig } from './properties.js'
import { recordBytes } from './record-size.js'

/** A line of librdkafka's log; `severity` is syslog's. */
export interface ClientLogLine {
  readonly severity: number
  readonly fac: string
  readonly message: string
}

export interface SessionEvents {
  log(line: ClientLogLine): void
  /** librdkafka's statistics, as JSON text. */
  statistics(json: string): void
  /** No connection is open. That may be an outage, or a broker that closed an idle connection. */
  disconnected(): void
  delivered(): void
  failed(failure: Failure): void
  /** A broker refused a batch for its size: the topic is sent smaller ones from now on. */
  batchesLimited(topic: string, bytes: number): void
  /** The session is unusable from now on. */
  broken(reason: string): void
}

/** Why a session is given up with what is outstanding in it. */
export interface Breakage {
  readonly code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED'
  readonly why: string
}

/**
 * One session with Kafka: one node-rdkafka Producer from connect to disconnect. A Producer that failed is never used
 * again: it would report everything several times.
 */
export interface Session {
  /** Resolves on the delivery report. Rejects with a HeadgateError. */
  send(record: SinkRecord): Promise<Receipt>
  outstanding(): number
  /** Milliseconds since the last report, while any is outstanding. */
  stalledFor(): number
  /** How many partitions a topic has; 0 where there is no such topic. Rejects where Kafka does not answer in time. */
  partitions(topic: string, timeout: number): Promise<number>
  /** Rejects where Kafka does not answer in time. */
  ping(timeout: number): Promise<void>
  /** Waits for all reports, or until `signal` is aborted, and disconnects. */
  close(signal: AbortSignal): Promise<void>
  /** Fails what is outstanding and disconnects. When this resolves, nothing more of it is sent: its sockets are closed. */
  abandon(breakage: Breakage): Promise<void>
}

const ALL_BROKERS_DOWN = reportText(rdkafka.CODES.ERRORS.ERR__ALL_BROKERS_DOWN)
const CLIENT_REFUSED = rdkafka.CODES.ERRORS.ERR__STATE

/**
 * Opens a session; `timeout` milliseconds for the first answer of Kafka. Rejects with HG_CONFIG_VALUE where librdkafka
 * does not take its properties together, with HG_KAFKA_UNAVAILABLE otherwise.
 */
export async function openSession(
  config: ClientConfig,
  events: SessionEvents,
  timeout: number,
): Promise<Session> {
  const producer = new rdkafka.Producer({ ...config.global, dr_cb: true }, config.topic)
  producer.on('event.log', (line: ClientLogLine) => {
    events.log(line)
    // The only place where librdkafka's fatal errors can be told from others (node-rdkafka drops the flag).
    if (line.fac === 'FATAL') events.broken(line.message)
  })
  producer.on('event.stats', ({ message }: { message: string }) => events.statistics(message))
  producer.on('event.error', ({ message }) => {
    if (message === ALL_BROKERS_DOWN) events.disconnected()
  })
  await connect(producer, timeout)
  return createSession(producer, Number(config.global['batch.size']), events)
}

/** Rejects as `openSession` does; the Producer is gone then. */
export async function connect(producer: Producer, timeout: number): Promise<void> {
  const error = await new Promise<LibrdKafkaError | null>((resolve) => {
    producer.connect({ allTopics: false, timeout }, (failed) => resolve(failed))
  })
  if (!error) return
  await release(producer)
  if (error.code === CLIENT_REFUSED) {
    throw new HeadgateError(
      'HG_CONFIG_VALUE',
      `The Kafka client does not take its properties: ${error.message}.`,
    )
  }
  throw new HeadgateError('HG_KAFKA_UNAVAILABLE', explain(error))
}

/**
 * Disconnects by the method that the Producer inherits: its own flushes first, which sends what we have given up, and
 * throws where there never was a connection (node-rdkafka, lib/producer.js and lib/client.js). The callback comes when
 * librdkafka has ended its threads and closed its sockets.
 */
export function release(producer: Producer): Promise<void> {
  const { disconnect } = Object.getPrototypeOf(rdkafka.Producer.prototype) as {
    disconnect(this: Producer, done: () => void): void
  }
  return new Promise((resolve) => disconnect.call(producer, () => resolve()))
}

/** So often is a record sent again whose batch was refused for another record. */
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

function createSession(producer: Producer, batchSize: number, events: SessionEvents): Session {
  const outstanding = createOutstanding<SentRecord>()
  const pairs = headerPairs()
  const polling = startPolling(
    () => producer.poll(),
    () => outstanding.count() > 0,
  )
  const limits = createBatchLimits<SentRecord>({
    batchSize,
    bytesOf: ({ record }) => recordBytes(record),
    send: transmit,
    lowered: events.batchesLimited,
  })
  let breaks = 0
  producer.on('event.error', () => {
    breaks++
  })

  producer.on('delivery-report', (error: LibrdKafkaError | null, report: DeliveryReport) => {
    const { opaque } = report
    const sent = error ? outstanding.find(opaque) : outstanding.settle(opaque)
    if (sent === undefined) return
    if (error) {
      undelivered(sent, error)
      return
    }
    limits.ended(sent)
    events.delivered()
    sent.resolve({ topic: report.topic, partition: report.partition, offset: report.offset })
  })

  function undelivered(sent: SentRecord, error: LibrdKafkaError): void {
    const failure = deliveryFailed(error, sent.target)
    const { refusedBatch } = failure
    if (refusedBatch !== undefined && sent.breaks !== breaks) {
      // An attempt whose answer was lost may have been taken, if the topic was changed only then.
      const why = 'its batch was refused after a connection to a broker had broken'
      fail(sent, { error: inDoubt('HG_KAFKA_NOT_DELIVERED', sent.target, why) })
    } else if (refusedBatch === 'size' && limits.refused(sent, outstanding.all())) return
    else if (isInnocent(sent, refusedBatch) && ++sent.refusals <= MOST_REFUSALS) transmit(sent)
    else fail(sent, failure)
  }

  function fail(sent: SentRecord, failure: Failure): void {
    outstanding.settle(sent.opaque)
    limits.ended(sent)
    events.failed(failure)
    sent.reject(failure.error)
  }

  function transmit(sent: SentRecord): void {
    if (outstanding.find(sent.opaque) === undefined) return
    sent.breaks = breaks
    try {
      produce(sent.record, sent.opaque)
    } catch (thrown) {
      fail(sent, producingFailed(thrown, sent.target))
    }
  }

  function produce({ target, key, value, headers }: SinkRecord, opaque: number): void {
    // node-rdkafka makes null of an empty Buffer (src/producer.cc), and an empty key of an empty string.
    const keyOrText = key?.length === 0 ? '' : key
    producer.produce(target.topic, target.partition, value, keyOrText, undefined, opaque, pairs(headers))
  }

  async function end({ code, why }: Breakage): Promise<void> {
    limits.clear()
    outstanding.giveUp(code, why)
    // Polling a client while it disconnects crashes the process.
    polling.stop()
    await release(producer)
  }

  return {
    send(record) {
      return new Promise((resolve, reject) => {
        const opaque = outstanding.nextOpaque()
        const { target } = record
        const { topic } = target
        const sent = { opaque, record, target, topic, share: undefined, breaks, refusals: 0, resolve, reject }
        outstanding.add(opaque, sent)
        if (limits.admit(sent)) transmit(sent)
        polling.wake()
      })
    },
    outstanding: outstanding.count,
    stalledFor: outstanding.stalledFor,
    async partitions(topic, timeout) {
      const { topics } = await metadata(producer, { topic, allTopics: false, timeout })
      return topics.find(({ name }) => name === topic)?.partitions.length ?? 0
    },
    async ping(timeout) {
      await metadata(producer, { allTopics: false, timeout })
    },
    async close(signal) {
      // disconnect() drops the reports that have not been handed over yet, so it comes after the last one.
      await outstanding.drained(signal)
      await end({ code: 'HG_KAFKA_NOT_DELIVERED', why: 'Headgate ended first' })
    },
    abandon: end,
  }
}

export function metadata(
  producer: Producer,
  options: { topic?: string; allTopics: boolean; timeout: number },
) {
  return new Promise<rdkafka.Metadata>((resolve, reject) => {
    producer.getMetadata(options, (error, answer) => {
      if (error) reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', explain(error)))
      else resolve(answer)
    })
  })
}
