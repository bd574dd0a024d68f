import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { type ClusterOptions, type KafkaCluster, startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { startSink, type TestSink } from '../helpers/kafka/sink.js'
import { createTopic, leaderOf } from '../helpers/kafka/topics.js'

const TARGET = { topic: 'events', partition: 0 }
const WAIT = { timeout: 60_000, interval: 50 }

describeKafka('a record whose fate is uncertain', () => {
  test('is given up by a fence while the broker is frozen, and afterwards known to be in Kafka or not', async () => {
    const cluster = await ownCluster()
    const properties = { 'statistics.interval.ms': 50 }
    const { sink, log, context, send, read } = await startSink(cluster.bootstrap, [TARGET], { properties })
    await send(TARGET, 'first')

    cluster.brokers[0]?.pause()
    const sent = outcomesOf(send, 1000)
    // By then the first of them are in the network.
    await vi.waitFor(() => expect(context.values.get('kafka_records_outstanding')).toBe(1000), WAIT)
    await expect(log.fence()).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
    const outcomes = await sent
    expect(outcomes.filter(isUncertain)).toHaveLength(1000)

    cluster.brokers[0]?.resume()
    await vi.waitFor(() => log.fence(), WAIT)
    expect(sink.notReady?.()).toEqual([])
    const known = await read()
    // The record in the network arrived although it was given up.
    expect(known.length).toBeGreaterThan(1)
    await send(TARGET, 'last')
    expect(await idsIn(cluster)).toEqual([...known, 'last'])
  })

  test('is delivered once by a broker that was killed and started again', async () => {
    const cluster = await ownCluster()
    const { send, read } = await startSink(cluster.bootstrap, [TARGET])
    await send(TARGET, 'first')
    const sent = outcomesOf(send, 1000)
    await cluster.brokers[0]?.kill()
    await cluster.brokers[0]?.start()
    const outcomes = await sent
    expect(outcomes.filter((outcome) => outcome !== 'delivered')).toEqual([])
    const ids = await vi.waitFor(() => read(), WAIT)
    expect(ids).toHaveLength(1001)
    expect(new Set(ids).size).toBe(1001)
  })

  test('is not taken for lost while its leader has it and the replicas have not confirmed it', async () => {
    const cluster = await ownCluster({ nodes: 3 })
    const killed = await startSink(cluster.bootstrap, [TARGET])
    await killed.send(TARGET, 'first')
    const followers = await followersOf(cluster)
    for (const follower of followers) follower.pause()
    const sent = outcomesOf(killed.send, 1)
    await vi.waitFor(() => expect(killed.context.values.get('kafka_records_outstanding')).toBe(1), WAIT)
    killed.context.abort()
    await killed.sink.stop?.()
    expect((await sent).filter(isUncertain)).toHaveLength(1)

    const leader = cluster.brokers.find((broker) => !followers.includes(broker))?.address ?? ''
    const { read } = await startSink(leader, [TARGET])
    // All that can be read is the first record. That is not the truth, and is not given for it. The leader may notice first that
    // the others are silent.
    await expect(read([{ ...TARGET, offset: 0 }])).rejects.toThrow(
      /replicas have not confirmed|fewer replicas are in sync/,
    )
    for (const follower of followers) follower.resume()
    const known = await vi.waitFor(() => read([{ ...TARGET, offset: 0 }]), WAIT)
    expect(known).toEqual(['first', 'event-0'])
    expect(await idsIn(cluster)).toEqual(known)
  })

  test('does not keep the sink from stopping while its broker is frozen and has not responded to a commit', async () => {
    const cluster = await ownCluster()
    const { sink, log, context, send } = await startSink(cluster.bootstrap, [TARGET])
    await send(TARGET, 'first')
    await log.commit([{ ...TARGET, offset: 0 }])
    cluster.brokers[0]?.pause()
    const sent = outcomesOf(send, 10)
    await expect(log.commit([{ ...TARGET, offset: 1 }])).rejects.toMatchObject({
      code: 'HG_KAFKA_UNAVAILABLE',
    })
    context.abort()
    await sink.stop?.()
    expect((await sent).filter(isUncertain)).toHaveLength(10)
  })

  test('is read back, and positions are committed, when the brokers that did so are gone', async () => {
    const cluster = await ownCluster({ nodes: 3 })
    const { log, send, read } = await startSink(cluster.bootstrap, [TARGET])
    await send(TARGET, 'first')
    await log.commit([{ ...TARGET, offset: 0 }])
    const leader = await leaderOf(cluster.bootstrap, TARGET.topic, 0)
    const coordinator = await leaderOf(
      cluster.bootstrap,
      '__consumer_offsets',
      partitionOf('headgate.test', 4),
    )
    const broker = (id: number) => cluster.brokers.find((candidate) => candidate.id === id)
    for (const id of new Set([leader, coordinator])) {
      await broker(id)?.kill()
      await vi.waitFor(() => log.commit([{ ...TARGET, offset: 1 }]), WAIT)
      expect(await vi.waitFor(() => read(), WAIT)).toEqual(['first'])
      await broker(id)?.start()
    }
    expect(await vi.waitFor(() => log.partitions(), WAIT)).toMatchObject([{ end: 1, committed: 1 }])
  })
})

async function ownCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const cluster = await startKafkaCluster(options)
  onTestFinished(() => cluster.stop())
  await createTopic(cluster.bootstrap, TARGET.topic, { replication: options.nodes ?? 1 })
  return cluster
}

/** How each of so many records ends, once all of them have. */
const outcomesOf = (send: TestSink['send'], count: number): Promise<unknown[]> =>
  Promise.all(
    Array.from({ length: count }, (_, number) =>
      send(TARGET, `event-${number}`).then(
        () => 'delivered',
        (error: unknown) => error,
      ),
    ),
  )

const isUncertain = (outcome: unknown): boolean =>
  outcome instanceof HeadgateError && outcome.code === 'HG_KAFKA_NOT_DELIVERED' && outcome.uncertain

async function idsIn({ bootstrap }: KafkaCluster): Promise<(string | undefined)[]> {
  const records = await readTopics(bootstrap, [TARGET.topic])
  return records.map(({ headers }) => headers['headgate-event-id'])
}

async function followersOf(cluster: KafkaCluster) {
  const leader = await leaderOf(cluster.bootstrap, TARGET.topic, 0)
  return cluster.brokers.filter(({ id }) => id !== leader)
}

/** Where a broker keeps the offsets of a group: by the hash code of its name, as Java has it. */
function partitionOf(group: string, partitions: number): number {
  let hash = 0
  for (const letter of group) hash = (31 * hash + letter.charCodeAt(0)) | 0
  return (hash & 0x7fffffff) % partitions
}
