import rdkafka, { type LibrdKafkaError } from 'node-rdkafka'
import { expect, onTestFinished, test } from 'vitest'
import { readTopics } from '../../src/sandbox/reader.js'
import { type ClusterOptions, type KafkaCluster, startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { createTopic, leaderOf } from '../helpers/kafka/topics.js'

const DELIVERY_TIMEOUT = 60_000

describeKafka('a real Kafka for tests', () => {
  test('keeps the records produced to a partition of a new topic', async () => {
    const topic = await sharedTopic({ partitions: 3 })
    const producer = await connect(sharedKafka())

    await producer.send(topic, 2, 'first')
    await producer.send(topic, 2, 'second')

    const records = await readTopics(sharedKafka(), [topic])
    expect(records.map(({ partition, offset, value }) => [partition, offset, value.toString()])).toEqual([
      [2, 0, 'first'],
      [2, 1, 'second'],
    ])
  })

  test('takes the settings of a topic', async () => {
    const topic = await sharedTopic({ config: { 'max.message.bytes': '1000' } })
    const producer = await connect(sharedKafka())

    await expect(producer.send(topic, 0, 'x'.repeat(2000))).rejects.toThrow(/too large/)
  })

  test('answers nothing while it is paused, and all of it when it is resumed', async () => {
    const cluster = await ownCluster()
    await createTopic(cluster.bootstrap, 'events')
    const producer = await connect(cluster.bootstrap)
    await producer.send('events', 0, 'before')

    cluster.brokers[0]?.pause()
    const sent = producer.send('events', 0, 'during')
    const frozen = await Promise.race([sent, halfASecond()])
    cluster.brokers[0]?.resume()
    await sent

    expect(frozen).toBe('nothing yet')
    expect(await valuesIn(cluster, 'events')).toEqual(['before', 'during'])
  })

  test.each(['stop', 'kill'] as const)('has its data again after %s and start', async (end) => {
    const cluster = await ownCluster()
    await createTopic(cluster.bootstrap, 'events')
    const producer = await connect(cluster.bootstrap)
    await producer.send('events', 0, 'before')

    await cluster.brokers[0]?.[end]()
    const sent = producer.send('events', 0, 'meanwhile')
    await cluster.brokers[0]?.start()
    await sent

    expect(await valuesIn(cluster, 'events')).toEqual(['before', 'meanwhile'])
  })

  test('of three nodes goes on when the leader of a partition is killed', async () => {
    const cluster = await ownCluster({ nodes: 3 })
    await createTopic(cluster.bootstrap, 'events', { replication: 3 })
    const producer = await connect(cluster.bootstrap)
    await producer.send('events', 0, 'before')

    const leader = await leaderOf(cluster.bootstrap, 'events', 0)
    await cluster.brokers.find(({ id }) => id === leader)?.kill()
    await producer.send('events', 0, 'after')

    expect(await leaderOf(cluster.bootstrap, 'events', 0)).not.toBe(leader)
    expect(await valuesIn(cluster, 'events')).toEqual(['before', 'after'])
  })

  test('says why a broker did not start', async () => {
    const started = startKafkaCluster({ properties: { 'num.network.threads': 'many' } })

    await expect(started).rejects.toThrow(/num\.network\.threads/)
  })
})

async function ownCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const cluster = await startKafkaCluster(options)
  onTestFinished(() => cluster.stop())
  return cluster
}

async function valuesIn(cluster: KafkaCluster, topic: string): Promise<string[]> {
  const records = await readTopics(cluster.bootstrap, [topic])
  return records.map(({ value }) => value.toString())
}

interface TestProducer {
  /** Resolves when the delivery report is there. */
  send(topic: string, partition: number, value: string): Promise<void>
}

async function connect(bootstrap: string): Promise<TestProducer> {
  const producer = new rdkafka.Producer(
    {
      'bootstrap.servers': bootstrap,
      'enable.idempotence': true,
      'reconnect.backoff.max.ms': 250,
      dr_cb: true,
      log_level: 0,
    },
    { acks: -1, 'message.timeout.ms': DELIVERY_TIMEOUT },
  )
  await new Promise<void>((resolve, reject) =>
    producer.connect({ allTopics: false }, (error) => (error ? reject(error) : resolve())),
  )
  // node-rdkafka emits these for every lost connection; without a listener they would be thrown.
  producer.on('event.error', () => {})
  producer.setPollInterval(10)
  const settle = new Map<number, (error: LibrdKafkaError | null) => void>()
  producer.on('delivery-report', (error, report) => settle.get(report.opaque)?.(error))
  onTestFinished(async () => {
    producer.setPollInterval(0)
    await new Promise<void>((resolve) => producer.disconnect(() => resolve()))
  })
  return {
    send: (topic, partition, value) =>
      new Promise((resolve, reject) => {
        const opaque = settle.size
        settle.set(opaque, (error) => (error ? reject(error) : resolve()))
        producer.produce(topic, partition, Buffer.from(value), null, undefined, opaque)
      }),
  }
}

const halfASecond = () => new Promise<string>((resolve) => setTimeout(() => resolve('nothing yet'), 500))
