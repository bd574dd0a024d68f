import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import rdkafka, { type IAdminClient, type LibrdKafkaError, type NewTopic } from 'node-rdkafka'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { LoggedRecord } from '../../src/contract/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { kafkaTool } from '../helpers/kafka/tool.js'

describeKafka('the log of the kafka sink', () => {
  test('returns the records that were sent, from each position to the end, in order', async () => {
    const topic = await sharedTopic({ partitions: 3 })
    const { log, send } = await startSink(sharedKafka(), [{ topic }])
    const before = Date.now()
    for (const id of ['a', 'b', 'c']) await send({ topic, partition: 1 }, id)
    await send({ topic, partition: 2 }, 'd')

    const records: LoggedRecord[] = []
    const from = [1, 0, 7].map((offset, partition) => ({ topic, partition, offset }))
    from[1] = { topic, partition: 1, offset: 1 }
    await log.read(from, (record) => records.push(record))

    const seen = records.map((record) => [
      record.partition,
      record.offset,
      record.header('headgate-event-id'),
    ])
    expect(seen).toEqual([
      [1, 1, 'b'],
      [1, 2, 'c'],
    ])
    for (const { timestamp } of records) {
      expect(timestamp).toBeGreaterThanOrEqual(before)
      expect(timestamp).toBeLessThanOrEqual(Date.now())
    }
  })

  test('begins with the oldest record that is left if older ones were deleted', async () => {
    const topic = await sharedTopic()
    const { log, send, read } = await startSink(sharedKafka(), [{ topic, partition: 0 }])
    for (const id of ['a', 'b', 'c']) await send({ topic, partition: 0 }, id)
    const file = join(temporaryDirectory(), 'offsets.json')
    writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 2 }] }))
    await kafkaTool(sharedKafka(), 'org.apache.kafka.tools.DeleteRecordsCommand', '--offset-json-file', file)
    expect(await log.partitions()).toMatchObject([{ start: 2, end: 3 }])
    expect(await read([{ topic, partition: 0, offset: 0 }])).toEqual(['c'])
  })

  test('skips the markers of transactions, and reads the records after an open one', async () => {
    const topic = await sharedTopic()
    const { log, send, read } = await startSink(sharedKafka(), [{ topic, partition: 0 }])
    const stranger = await transactional(topic)
    await send({ topic, partition: 0 }, 'a')
    await stranger.begin()
    stranger.produce()
    await stranger.commit()
    // The marker is written after the response.
    await vi.waitFor(async () => expect(await log.partitions()).toMatchObject([{ end: 3 }]), WAIT)
    expect(await read()).toEqual(['a', ''])

    await stranger.begin()
    stranger.produce()
    await stranger.flush()
    await send({ topic, partition: 0 }, 'b')
    expect(await read()).toEqual(['a', '', '', 'b'])
  })

  test('finds the first offset at a time, and the end if there is none', async () => {
    const topic = await sharedTopic({ partitions: 2 })
    const { log, send } = await startSink(sharedKafka(), [{ topic }])
    await send({ topic, partition: 0 }, 'a')
    const sent = Date.now()
    await vi.waitUntil(() => Date.now() > sent, { interval: 1 })
    const time = Date.now()
    await send({ topic, partition: 0 }, 'b')
    await send({ topic, partition: 0 }, 'c')
    expect(await log.offsetsAt(time)).toEqual([
      { topic, partition: 0, offset: 1 },
      { topic, partition: 1, offset: 0 },
    ])
    expect((await log.offsetsAt(Date.now() + 60_000))[0]?.offset).toBe(3)
  })

  test('shows operators the committed offsets, as any consumer group does', async () => {
    const topic = await sharedTopic({ partitions: 2 })
    const pipeline = `p-${randomUUID()}`
    const { log, send } = await startSink(sharedKafka(), [{ topic }], { pipeline })
    for (const id of ['a', 'b', 'c']) await send({ topic, partition: 1 }, id)
    await log.commit([{ topic, partition: 1, offset: 2 }])
    const group = `headgate.${pipeline}`
    const lines = await kafkaTool(
      sharedKafka(),
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      '--describe',
      '--group',
      group,
    )
    // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG
    expect(
      lines
        .find((line) => line.includes(topic))
        ?.split(/\s+/)
        .slice(0, 6),
    ).toEqual([group, topic, ...['1', '2', '3', '1']])
  })

  test('knows of partitions that were added while it ran', async () => {
    const topic = await sharedTopic()
    const { log, send, read } = await startSink(sharedKafka(), [{ topic }])
    await send({ topic, partition: 0 }, 'a')
    expect(await log.partitions()).toHaveLength(1)
    await administrate((admin, callback) => admin.createPartitions(topic, 3, callback))
    await vi.waitFor(async () => expect(await log.partitions()).toHaveLength(3), WAIT)
    await vi.waitFor(() => send({ topic, partition: 2 }, 'b'), WAIT)
    expect((await read()).sort()).toEqual(['a', 'b'])
  })

  test('refuses records for a topic that was deleted, certain that they are not there, until it is back', async () => {
    const topic = await sharedTopic()
    const { sink, send } = await startSink(sharedKafka(), [{ topic, partition: 0 }])
    await send({ topic, partition: 0 }, 'a')
    await administrate((admin, callback) => admin.deleteTopic(topic, callback))
    const sendIt = () => send({ topic, partition: 0 }, 'b').catch((error: unknown) => error)
    await vi.waitFor(async () => {
      // A broker that just deletes the log may fail with an error that proves nothing.
      await sendIt()
      expect(sink.notReady?.()).toEqual([`Topic "${topic}" does not exist (plugins.config.json:14:60).`])
    }, WAIT)
    expect(await sendIt()).toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE', uncertain: false })
    await administrate((admin, callback) => admin.createTopic(newTopic(topic), callback))
    await vi.waitFor(() => expect(sink.notReady?.()).toEqual([]), WAIT)
    await vi.waitFor(() => send({ topic, partition: 0 }, 'c'), WAIT)
  })

  test('is read back fast enough for long redelivery windows', async () => {
    const topic = await sharedTopic({ partitions: 4 })
    const { send, read } = await startSink(sharedKafka(), [{ topic }], { properties: { 'linger.ms': 20 } })
    const value = Buffer.alloc(1000, '{"region":"eu-west"}')
    const ids = Array.from({ length: 50_000 }, (_, number) => `event-${number}`)
    await Promise.all(ids.map((id, number) => send({ topic, partition: number % 4 }, id, value)))
    const started = performance.now()
    const cpu = process.cpuUsage()
    const seen = await read()
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (performance.now() - started) / 1000
    expect(new Set(seen).size).toBe(ids.length)
    expect(seen).toHaveLength(ids.length)
    const each = ((user + system) / ids.length).toFixed(1)
    console.log(`read-back: ${ids.length} records of 1 KB in ${seconds.toFixed(2)} s, ${each} us CPU each`)
  })
})

const WAIT = { timeout: 30_000, interval: 100 }
const TIMEOUT = 15_000

const newTopic = (topic: string): NewTopic => ({ topic, num_partitions: 1, replication_factor: 1 })

async function administrate(
  task: (admin: IAdminClient, callback: (error: LibrdKafkaError | undefined) => void) => void,
): Promise<void> {
  const admin = rdkafka.AdminClient.create({ 'bootstrap.servers': sharedKafka(), log_level: 3 })
  try {
    await done((callback) => task(admin, callback))
  } finally {
    admin.disconnect()
  }
}

/** A producer of somebody else, who writes transactions. */
async function transactional(topic: string) {
  const id = `transactions-${randomUUID()}`
  const config = { 'bootstrap.servers': sharedKafka(), 'transactional.id': id, log_level: 3 }
  const producer = new rdkafka.Producer(config)
  await promisify(producer.connect.bind(producer))({ allTopics: false, timeout: TIMEOUT })
  onTestFinished(() => new Promise<void>((resolve) => producer.disconnect(0, () => resolve())))
  await done((callback) => producer.initTransactions(TIMEOUT, callback))
  return {
    begin: () => done((callback) => producer.beginTransaction(callback)),
    produce: () => producer.produce(topic, 0, Buffer.from('{}')),
    flush: () => done((callback) => producer.flush(TIMEOUT, callback)),
    commit: () => done((callback) => producer.commitTransaction(TIMEOUT, callback)),
  }
}

const done = (work: (callback: (error: LibrdKafkaError | undefined) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())))
