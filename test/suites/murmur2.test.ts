import { expect, test } from 'vitest'
import { javaPartition, murmur2 } from '../helpers/kafka/murmur2.js'
import { startSink } from '../helpers/kafka/sink.js'
import { startMockCluster } from '../plugins/sink/kafka/mock-cluster.js'
import { countSuite } from './count.js'

/** Of Kafka's own tests (`UtilsTest.testMurmur2`), and the key of no bytes. */
const VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  ['', 275646681],
]
/** A mock cluster has so many. */
const PARTITIONS = 4

countSuite('Murmur2', VECTORS.length)

test('the hash that placements are compared with is that of the Java client', () => {
  expect(VECTORS.map(([key]) => murmur2(Buffer.from(key)))).toEqual(VECTORS.map(([, hash]) => hash))
})

test('records go to the partitions that the Java client chooses for their keys', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const { sink } = await startSink(bootstrap, [{ topic: 'orders' }])
  const keys = [
    ...VECTORS.map(([key]) => key),
    ...Array.from({ length: 200 }, (_, n) => `k${n}${'é'.repeat(n % 9)}`),
  ]
  const sent = keys.map((key) =>
    sink.send({ target: { topic: 'orders' }, key: Buffer.from(key), value: Buffer.from('{}'), headers: [] }),
  )
  const partitions = (await Promise.all(sent)).map(({ partition }) => partition)
  expect(partitions).toEqual(keys.map((key) => javaPartition(Buffer.from(key), PARTITIONS)))
})
