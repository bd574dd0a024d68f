import { type Metrics, metric } from '../../../../contract/index.js'

/** The part of librdkafka's statistics that we show (STATISTICS.md of librdkafka). Latencies are in microseconds. */
interface ClientStatistics {
  readonly msg_cnt: number
  readonly msg_size: number
  readonly brokers: { readonly [name: string]: BrokerStatistics }
}

interface BrokerStatistics {
  readonly name: string
  /** -1 for an address of `brokers` that no broker has claimed yet. */
  readonly nodeid: number
  readonly state: string
  readonly txerrs: number
  readonly rxerrs: number
  readonly req_timeouts: number
  readonly rtt: { readonly avg: number; readonly p50: number; readonly p99: number }
}

const gauge = <const Label extends string = never>(
  name: string,
  help: string,
  labels?: { readonly [label in Label]: readonly string[] },
  combine: 'sum' | 'max' = 'sum',
) => metric<Label>({ name, type: 'gauge', help, owner: 'sink', combine, ...(labels && { labels }) })

const METRICS = {
  recordsOutstanding: gauge('kafka_records_outstanding', 'Records in flight: not yet confirmed by Kafka.'),
  queueMessages: gauge('kafka_producer_queue_messages', 'Records that the Kafka client holds.'),
  queueBytes: gauge('kafka_producer_queue_bytes', 'Bytes of the records that the Kafka client holds.'),
  // A worker connects only to the brokers that it needs.
  brokerUp: gauge('kafka_broker_up', '1 if the connection to the broker is open.', { broker: [] }, 'max'),
  roundTripSeconds: gauge(
    'kafka_broker_rtt_seconds',
    'Round-trip time of requests to the broker, since the last report of the client.',
    { broker: [], quantile: ['avg', 'p50', 'p99'] },
    'max',
  ),
  brokerErrors: gauge(
    'kafka_broker_errors',
    'Failed transmissions, failed receptions and timed out requests of the present session.',
    { broker: [], direction: ['sent', 'received', 'timed-out'] },
  ),
}

/** For the definition of the plugin. */
export const CLIENT_METRICS = Object.values(METRICS)

/** Shows librdkafka's statistics as metrics. */
export class Statistics {
  readonly #metrics: ReturnType<typeof gaugesOf>

  constructor(metrics: Metrics) {
    this.#metrics = gaugesOf(metrics)
    const { recordsInFlight, queueMessages, queueBytes } = this.#metrics
    for (const gauge of [recordsInFlight, queueMessages, queueBytes]) gauge.set(0)
  }

  /** Shows one report of librdkafka. */
  show(json: string, inFlight: number): void {
    const { recordsInFlight, queueMessages, queueBytes, brokerUp, roundTrip, errors } = this.#metrics
    const statistics = JSON.parse(json) as ClientStatistics
    recordsInFlight.set(inFlight)
    queueMessages.set(statistics.msg_cnt)
    queueBytes.set(statistics.msg_size)
    for (const gauge of [brokerUp, roundTrip, errors]) gauge.clear()
    for (const { name, nodeid, state, rtt, ...counts } of Object.values(statistics.brokers)) {
      if (nodeid < 0) continue
      brokerUp.set(state === 'UP' ? 1 : 0, { broker: name })
      for (const quantile of ['avg', 'p50', 'p99'] as const) {
        roundTrip.set(rtt[quantile] / 1e6, { broker: name, quantile })
      }
      errors.set(counts.txerrs, { broker: name, direction: 'sent' })
      errors.set(counts.rxerrs, { broker: name, direction: 'received' })
      errors.set(counts.req_timeouts, { broker: name, direction: 'timed-out' })
    }
  }
}

const gaugesOf = (metrics: Metrics) => ({
  recordsInFlight: metrics.gauge(METRICS.recordsOutstanding),
  queueMessages: metrics.gauge(METRICS.queueMessages),
  queueBytes: metrics.gauge(METRICS.queueBytes),
  brokerUp: metrics.gauge(METRICS.brokerUp),
  roundTrip: metrics.gauge(METRICS.roundTripSeconds),
  errors: metrics.gauge(METRICS.brokerErrors),
})
