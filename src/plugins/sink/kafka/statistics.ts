import type { Metrics } from '../../../contract/index.js'

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

export interface Statistics {
  /** Shows what one report of librdkafka says. */
  show(json: string, outstanding: number): void
}

export function createStatistics(metrics: Metrics): Statistics {
  const outstandingRecords = metrics.gauge(
    'kafka_records_outstanding',
    'Records that Kafka has not confirmed yet.',
  )
  const queueMessages = metrics.gauge('kafka_producer_queue_messages', 'Records that the Kafka client holds.')
  const queueBytes = metrics.gauge(
    'kafka_producer_queue_bytes',
    'Bytes of the records that the Kafka client holds.',
  )
  const brokerUp = metrics.gauge('kafka_broker_up', '1 where the connection to a broker is open.', ['broker'])
  const roundTrip = metrics.gauge(
    'kafka_broker_rtt_seconds',
    'Time from a request to the answer of a broker, since the last report of the client.',
    ['broker', 'quantile'],
  )
  const errors = metrics.gauge(
    'kafka_broker_errors',
    'Failed transmissions, failed receptions and timed out requests of the present session.',
    ['broker', 'direction'],
  )
  for (const gauge of [outstandingRecords, queueMessages, queueBytes]) gauge.set(0)

  return {
    show(json, outstanding) {
      const statistics = JSON.parse(json) as ClientStatistics
      outstandingRecords.set(outstanding)
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
    },
  }
}
