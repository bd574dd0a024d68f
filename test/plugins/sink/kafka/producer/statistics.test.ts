import { expect, test } from 'vitest'
import { Statistics } from '../../../../../src/plugins/sink/kafka/producer/statistics.js'
import { testContext } from '../../../../helpers/context.js'

const broker = (name: string, nodeid: number, state: string) => ({
  name,
  nodeid,
  state,
  txerrs: 1,
  rxerrs: 2,
  req_timeouts: 3,
  rtt: { avg: 1500, p50: 1000, p99: 20_000 },
})

test('shows queue, brokers and round trips, and forgets brokers that are gone', () => {
  const { metrics, values } = testContext()
  const statistics = new Statistics(metrics)
  const before = {
    msg_cnt: 7,
    msg_size: 900,
    brokers: { a: broker('k:1/1', 1, 'UP'), b: broker('k:2/2', 2, 'DOWN') },
  }
  statistics.show(JSON.stringify(before), 6)
  expect(Object.fromEntries(values)).toMatchObject({
    kafka_records_outstanding: 6,
    kafka_producer_queue_messages: 7,
    kafka_producer_queue_bytes: 900,
    'kafka_broker_up{broker="k:1/1"}': 1,
    'kafka_broker_up{broker="k:2/2"}': 0,
    'kafka_broker_rtt_seconds{broker="k:1/1",quantile="avg"}': 0.0015,
    'kafka_broker_rtt_seconds{broker="k:1/1",quantile="p99"}': 0.02,
    'kafka_broker_errors{broker="k:1/1",direction="sent"}': 1,
    'kafka_broker_errors{broker="k:1/1",direction="received"}': 2,
    'kafka_broker_errors{broker="k:1/1",direction="timed-out"}': 3,
  })
  statistics.show(JSON.stringify({ msg_cnt: 0, msg_size: 0, brokers: { a: broker('k:1/1', 1, 'UP') } }), 0)
  expect([...values.keys()].filter((key) => key.includes('k:2'))).toEqual([])
})

test('leaves out addresses that no broker has claimed', () => {
  const { metrics, values } = testContext()
  const brokers = { 'k:1/bootstrap': broker('k:1/bootstrap', -1, 'UP') }
  new Statistics(metrics).show(JSON.stringify({ msg_cnt: 0, msg_size: 0, brokers }), 0)
  expect([...values.keys()].filter((key) => key.startsWith('kafka_broker'))).toEqual([])
})
