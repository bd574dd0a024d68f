/**
 * Instances that share an inbox, while brokers are away. The reader has `isolation.level=read_committed`.
 *
 * | case | test |
 * |---|---|
 * | 41 | each broker is killed in its turn: with it the coordinators of the group and of the transactions |
 * | 42 | a broker is away that alone has partitions of the inbox and of the targets |
 */
import { expect, test } from 'vitest'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { allInSync } from '../helpers/kafka/topics.js'
import { startInstances } from '../helpers/processes/instances.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceOfInstances } from './invariant.js'

const LATER = { timeout: 90_000, interval: 200 }
const SENDERS = 8

/** `whileAway`: the responses that senders get without a broker. */
async function killEachBroker(
  count: number,
  replication: number,
  whileAway: 'accepted' | 'refused',
): Promise<void> {
  const cluster = await startKafkaCluster({ nodes: 3 })
  const instances = await startInstances(cluster.bootstrap, count, { replication })
  const senders = startSenders(instances, SENDERS)
  const seen = {
    accepted: () => senders.answered.size,
    refused: () => [...senders.refusals.values()].reduce((sum, value) => sum + value, 0),
  }
  const more = async (what: keyof typeof seen) => {
    const before = seen[what]()
    await expect.poll(seen[what], LATER).toBeGreaterThan(before + 50)
  }
  for (const broker of cluster.brokers) {
    await more('accepted')
    await broker.kill()
    await more(whileAway)
    await broker.start()
    await expect.poll(() => allInSync(cluster.bootstrap), LATER).toBe(true)
  }
  await senders.finish()
  await expectOnceOfInstances(instances, senders.answered)
}

describeKafka('instances with an inbox', () => {
  test('case 41: deliver each event once, though the coordinators are killed in their turn', async () => {
    await killEachBroker(2, 3, 'accepted')
  }, 400_000)

  // Each sender soon has an event whose partition of the inbox is away, and sends it until it is accepted.
  test('case 42: deliver each event once, though partitions are away with their only broker', async () => {
    await killEachBroker(1, 1, 'refused')
  }, 400_000)
})
