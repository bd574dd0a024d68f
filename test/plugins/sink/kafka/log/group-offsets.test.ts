import { expect, onTestFinished, test } from 'vitest'
import { GroupOffsets } from '../../../../../src/plugins/sink/kafka/log/group-offsets.js'
import {
  type ClientConfig,
  clientConfig,
  type Properties,
} from '../../../../../src/plugins/sink/kafka/properties.js'
import { coordinatorsOf } from '../../../../../src/plugins/sink/kafka/protocol/coordinators.js'
import { countedBroker } from '../counted-broker.js'
import { startMockCluster } from '../mock-cluster.js'

const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
const PLACES = [0, 1, 2].map((partition) => ({ topic: 'orders', partition }))

function openedBy(config: ClientConfig, brokers: string) {
  const offsets = new GroupOffsets(config, coordinatorsOf(config, brokers), () => {})
  onTestFinished(() => offsets.close())
  return offsets
}

function opened(brokers: string, properties: Properties = {}) {
  return openedBy(clientConfig(brokers, properties, 'test'), brokers)
}

test('keeps the positions of each group, and has none for partitions never committed', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const offsets = opened(bootstrap)
  await offsets.commit('headgate.a', [at(0, 7), at(2, 9_007_199_254)])
  await offsets.commit('headgate.b', [at(0, 1)])
  expect(await offsets.committed('headgate.a', PLACES)).toEqual([at(0, 7), PLACES[1], at(2, 9_007_199_254)])
  expect(await offsets.committed('headgate.b', PLACES)).toEqual([at(0, 1), PLACES[1], PLACES[2]])
})

test('60 groups at once take one connection to look for coordinators and one to their broker', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const broker = await countedBroker(bootstrap)
  const offsets = opened(broker.bootstrap)
  const groups = Array.from({ length: 60 }, (_, index) => `headgate.${index}`)
  await Promise.all(groups.map((group, index) => offsets.commit(group, [at(0, index + 1)])))
  const found = await Promise.all(groups.map((group) => offsets.committed(group, PLACES.slice(0, 1))))
  expect(found.flat().map(({ offset }) => offset)).toEqual(groups.map((_, index) => index + 1))
  expect(broker.count()).toBe(1)
})

test('connects again if the broker has closed the connection', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const broker = await countedBroker(bootstrap)
  const offsets = opened(broker.bootstrap)
  await offsets.commit('headgate.a', [at(0, 7)])
  broker.cut()
  await offsets.commit('headgate.b', [at(0, 8)])
  expect(await offsets.committed('headgate.b', PLACES.slice(0, 1))).toEqual([at(0, 8)])
})

test('leaves it to librdkafka if our own connection fails, and the positions are the same', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  // Nothing is at the address that we ask first; librdkafka asks the one in its config.
  const config = clientConfig(bootstrap, {}, 'test')
  const offsets = openedBy(config, '127.0.0.1:1')
  await offsets.commit('headgate.a', [at(1, 3)])
  expect(await offsets.committed('headgate.a', PLACES)).toEqual([PLACES[0], at(1, 3), PLACES[2]])
  expect(await opened(bootstrap).committed('headgate.a', PLACES)).toEqual([PLACES[0], at(1, 3), PLACES[2]])
})

test('says why if no broker answers', async () => {
  const { bootstrap, stop } = await startMockCluster(['orders'])
  await stop()
  await expect(opened(bootstrap).commit('headgate.a', [at(0, 1)])).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
  })
}, 30_000)
