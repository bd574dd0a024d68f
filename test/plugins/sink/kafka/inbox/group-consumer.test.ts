import { expect, test } from 'vitest'
import { GroupConsumer } from '../../../../../src/plugins/sink/kafka/inbox/group-consumer.js'
import { clientConfig, memberConfig } from '../../../../../src/plugins/sink/kafka/properties.js'
import { startMockCluster } from '../mock-cluster.js'

const join = async () => {
  const { bootstrap } = await startMockCluster(['inbox'])
  return GroupConsumer.join(memberConfig(clientConfig(bootstrap, {}, 'test'), 'group'), 'inbox', () => {})
}

test('a member that leaves gives its partitions up', async () => {
  const consumer = await join()
  while (consumer.assigned.length === 0) await consumer.poll(1)
  await consumer.leave()
  expect(consumer.isIdle).toBe(true)
})

test('a member leaves also while partitions are about to come, and its client ends', async () => {
  const consumer = await join()
  while (consumer.isIdle) await consumer.poll(1)
  expect(consumer.assigned).toEqual([])
  await consumer.leave()
  expect(consumer.isIdle).toBe(true)
})
