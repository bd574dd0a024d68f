import { expect, test } from 'vitest'
import type { Sink } from '../../../../../src/contract/index.js'
import { partitionOf } from '../../../../../src/lib/murmur2.js'
import { startSink } from '../../../../helpers/kafka/sink.js'
import { startMockCluster } from '../mock-cluster.js'

/** A mock cluster has so many. */
const PARTITIONS = 4

test.each(['murmur2_random', 'consistent', 'fnv1a_random', 'random'])(
  'the partitioner %s has no say in the partition of an event of the inbox',
  async (partitioner) => {
    const { bootstrap } = await startMockCluster(['inbox'])
    const { sink } = await startSink(bootstrap, [{ topic: 'inbox' }], { properties: { partitioner } })
    const inbox = (sink as Required<Sink>).inbox('inbox')
    const keys = Array.from({ length: 40 }, (_, n) => Buffer.from(`event-${n}`))
    const receipts = await Promise.all(
      keys.map((key) =>
        inbox.send({ target: { topic: 'inbox' }, key, value: Buffer.from('{}'), headers: [] }),
      ),
    )
    expect(receipts.map(({ partition }) => partition)).toEqual(
      keys.map((key) => partitionOf(key, PARTITIONS)),
    )
  },
)
