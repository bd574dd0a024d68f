import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import rdkafka, { type Producer } from 'node-rdkafka'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ErrorCode } from '../../../../src/contract/errors.js'
import type { Event, LocatedTarget, RecordHeader, Sink, Target } from '../../../../src/contract/index.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { kafkaSink } from '../../../../src/plugins/sink/kafka/index.js'
import { readTopics } from '../../../../src/sandbox/reader.js'
import { checkContext, fillDefaults, type TestContext, testContext } from '../../../helpers/context.js'
import { freePorts } from '../../../helpers/free-ports.js'
import { startMockCluster } from './mock-cluster.js'

const TOPIC = 'orders'
const TARGET: Target = { topic: TOPIC, partition: 1 }
const WAIT = { timeout: 15_000, interval: 10 }

interface Opened {
  readonly sink: Sink
  readonly context: TestContext
}

function open(brokers: string, settings: object = {}, targets: readonly Target[] = [TARGET]): Opened {
  const context = testContext()
  const sink = kafkaSink.create(fillDefaults(kafkaSink, { brokers, ...settings }), context)
  sink.expect(targets.map((target): LocatedTarget => ({ target, location: 'plugins.config.json:14:60' })))
  onTestFinished(async () => {
    context.abort()
    await sink.stop?.()
  })
  return { sink, context }
}

async function started(
  settings: object = {},
  targets?: readonly Target[],
): Promise<Opened & { bootstrap: string }> {
  const { bootstrap } = await startMockCluster([TOPIC])
  const opened = open(bootstrap, settings, targets)
  await opened.sink.start?.()
  return { ...opened, bootstrap }
}

const event = (text: string, target: Target = TARGET): Event => ({
  id: 'e-1',
  receivedAt: 0,
  body: parseBody(Buffer.from(text), 100),
  route: { name: 'r', target },
})

const send = (sink: Sink, text: string, target?: Target, headers: readonly RecordHeader[] = []) =>
  sink.send(sink.record(event(text, target), headers))

const refusal = (code: ErrorCode) => expect.objectContaining({ code })

test('writes value, key and headers of an event to the very partition, byte for byte', async () => {
  const { sink, bootstrap } = await started({ key: '/id', value: '/payload' })
  const value = '{ "big": 9007199254740993, "one": 1.0, "b": 1, "a": "\\u00e9 é \\/" }'
  const text = `{"id":"k-1","eventType":"created","timestamp":1760000000000,"payload": ${value} }`
  const receipt = await send(sink, text, { topic: TOPIC, partition: 3 }, [
    { name: 'headgate-event-id', value: 'e-1' },
  ])
  expect(receipt).toEqual({ topic: TOPIC, partition: 3, offset: 0 })
  const [record, ...others] = await readTopics(bootstrap, [TOPIC])
  expect(others).toEqual([])
  expect(record).toMatchObject({ partition: 3, offset: 0, key: Buffer.from('k-1') })
  expect(record?.value.toString()).toBe(value)
  expect(Object.entries(record?.headers ?? {})).toEqual([
    ['headgate-event-id', 'e-1'],
    ['event-type', 'created'],
    ['event-timestamp', '1760000000000'],
  ])
})

test('writes the whole body, and no key, if the config names neither', async () => {
  const { sink, bootstrap } = await started()
  await send(sink, ' {"id": 1} ')
  const [record] = await readTopics(bootstrap, [TOPIC])
  expect(record).toMatchObject({ key: null, headers: {} })
  expect(record?.value.toString()).toBe(' {"id": 1} ')
})

test('lets the key decide on the partition as the Java client does', async () => {
  // Of Kafka's own UtilsTest.testMurmur2.
  const hashes = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    abc: 479470107,
  }
  const { sink } = await started({ key: '/id' }, [{ topic: TOPIC }])
  for (const [id, hash] of Object.entries(hashes)) {
    const { partition } = await send(sink, JSON.stringify({ id }), { topic: TOPIC })
    expect(partition).toBe((hash & 0x7fffffff) % 4)
  }
})

test('writes an empty key, which is not the same as none, to the partition that the Java client chooses', async () => {
  const { sink, bootstrap } = await started({ key: '/id' }, [{ topic: TOPIC }])
  const sent = Array.from({ length: 8 }, () => send(sink, '{"id":""}', { topic: TOPIC }))
  // Murmur2 of no bytes is 275646681.
  expect((await Promise.all(sent)).map(({ partition }) => partition)).toEqual(Array(8).fill(1))
  await send(sink, '{"id":null}', { topic: TOPIC, partition: 0 })
  const records = await readTopics(bootstrap, [TOPIC])
  const keys = (partition: number) =>
    records.filter((one) => one.partition === partition).map(({ key }) => key)
  expect(keys(1)).toEqual(Array(8).fill(Buffer.alloc(0)))
  expect(keys(0)).toEqual([null])
})

test('stops after the delivery reports of all 5,000 records that are under way', async () => {
  const { sink, bootstrap } = await started()
  const receipts = Promise.all(Array.from({ length: 5000 }, (_, id) => send(sink, JSON.stringify({ id }))))
  await sink.stop?.()
  const offsets = (await receipts).map(({ offset }) => offset)
  expect(offsets).toEqual(Array.from({ length: 5000 }, (_, offset) => offset))
  expect(await readTopics(bootstrap, [TOPIC])).toHaveLength(5000)
  await expect(send(sink, '{}')).rejects.toEqual(refusal('HG_KAFKA_UNAVAILABLE'))
  await sink.stop?.()
})

test('stops without having been started', async () => {
  const { sink } = open('127.0.0.1:1')
  await sink.stop?.()
  expect(sink.notReady?.()).not.toEqual([])
})

test('starts with Kafka unreachable, says why it is not ready, and is ready when Kafka has come', async () => {
  const { bootstrap } = await startMockCluster([TOPIC])
  const [port = 0] = await freePorts(1)
  const { sink } = open(`127.0.0.1:${port}`)
  await sink.start?.()
  const reason = expect.stringMatching(`^Kafka is not reachable at 127.0.0.1:${port}: .*Connection refused.$`)
  expect(sink.notReady?.()).toEqual([reason])
  const refused = expect.objectContaining({ code: 'HG_KAFKA_UNAVAILABLE', status: 503, message: reason })
  await expect(send(sink, '{}')).rejects.toEqual(refused)

  const proxy = createServer((client) => {
    const broker = connect(Number(bootstrap.split(':')[1]))
    client.on('error', () => {}).pipe(broker)
    broker.on('error', () => {}).pipe(client)
  })
  await once(proxy.listen(port, '127.0.0.1'), 'listening')
  onTestFinished(() => void proxy.close())
  await vi.waitFor(() => expect(sink.notReady?.()).toEqual([]), WAIT)
  await expect(send(sink, '{}')).resolves.toMatchObject(TARGET)
}, 30_000)

test('refuses records at once after it has lost Kafka, and gives up those under way when told to', async () => {
  const cluster = await startMockCluster([TOPIC])
  const { sink, context } = open(cluster.bootstrap)
  await sink.start?.()
  await cluster.stop()
  const underWay = send(sink, '{}').catch((error: unknown) => error)
  await vi.waitFor(() => expect(sink.notReady?.()).toEqual([expect.stringContaining('not reachable')]), WAIT)
  await expect(send(sink, '{}')).rejects.toEqual(refusal('HG_KAFKA_UNAVAILABLE'))
  const stopped = sink.stop?.()
  context.abort()
  await stopped
  expect(await underWay).toEqual(refusal('HG_KAFKA_NOT_DELIVERED'))
}, 30_000)

test('does not start if the topic has too few partitions, and names all such lines at once', async () => {
  const { bootstrap } = await startMockCluster([TOPIC])
  const { sink } = open(bootstrap, {}, [{ topic: TOPIC, partition: 4 }, TARGET, { topic: 'nowhere' }])
  const starting = expect(sink.start?.()).rejects
  await starting.toEqual(refusal('HG_KAFKA_PARTITION_MISSING'))
  await starting.toThrow(
    'Topic "orders" has no partition 4 (plugins.config.json:14:60): its 4 partitions are 0 to 3. ' +
      'Topic "nowhere" does not exist (plugins.config.json:14:60).',
  )
})

test('is not ready while a topic is missing, and does not create it by asking', async () => {
  const { bootstrap } = await startMockCluster([TOPIC])
  const { sink, context } = open(bootstrap, {}, [TARGET, { topic: 'missing' }])
  await sink.start?.()
  expect(sink.notReady?.()).toEqual(['Topic "missing" does not exist (plugins.config.json:14:60).'])
  expect(context.lines).toContainEqual({
    level: 'error',
    fields: { code: 'HG_KAFKA_TOPIC_MISSING' },
    message: 'Topic "missing" does not exist (plugins.config.json:14:60).',
  })
  await expect(readTopics(bootstrap, ['missing'])).rejects.toThrow('Kafka has no topic missing')
})

test('does not start with properties that librdkafka refuses only together', async () => {
  const { bootstrap } = await startMockCluster([TOPIC])
  const { sink } = open(bootstrap, { properties: { 'linger.ms': 5000, 'delivery.timeout.ms': 1000 } })
  const starting = expect(sink.start?.()).rejects
  await starting.toEqual(refusal('HG_CONFIG_VALUE'))
  await starting.toThrow('`message.timeout.ms` must be greater than `linger.ms`')
})

test('tells a record that is too large from trouble with Kafka', async () => {
  const { sink } = await started()
  const large = JSON.stringify('x'.repeat(1_048_589))
  await expect(send(sink, large)).rejects.toMatchObject({ code: 'HG_RECORD_TOO_LARGE', kind: 'data' })
  await expect(send(sink, '{}')).resolves.toMatchObject(TARGET)
})

test('refuses records that the queue of the client has no room for', async () => {
  const { sink } = await started({ properties: { 'queue.buffering.max.messages': 2 } })
  const sent = await Promise.allSettled([send(sink, '1'), send(sink, '2'), send(sink, '3')])
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(sent[2]).toMatchObject({ reason: refusal('HG_KAFKA_QUEUE_FULL') })
  expect(sink.notReady?.()).toEqual([])
})

test('opens a new session after a fatal error; records in flight are in doubt', async () => {
  const connecting = vi.spyOn(rdkafka.Producer.prototype, 'connect')
  onTestFinished(() => connecting.mockRestore())
  const { bootstrap } = await startMockCluster([TOPIC])
  const { sink } = open(bootstrap)
  connecting.mockClear()
  await sink.start?.()
  const underWay = send(sink, '{}').catch((error: unknown) => error)
  const [producer] = connecting.mock.contexts as Producer[]
  producer?.emit('event.log', { severity: 0, fac: 'FATAL', message: 'Fatal error: sequence lost' })
  expect(sink.notReady?.()).toEqual([expect.stringContaining('sequence lost')])
  await expect(send(sink, '{}')).rejects.toEqual(refusal('HG_KAFKA_UNAVAILABLE'))
  expect(await underWay).toEqual(refusal('HG_KAFKA_FATAL'))
  await vi.waitFor(() => expect(sink.notReady?.()).toEqual([]), WAIT)
  await expect(send(sink, '{}')).resolves.toMatchObject(TARGET)
  expect(new Set(connecting.mock.contexts).size).toBe(2)
})

test("shows librdkafka's statistics", async () => {
  const { context, bootstrap } = await started({ properties: { 'statistics.interval.ms': 50 } })
  expect(context.values.get('kafka_records_outstanding')).toBe(0)
  await vi.waitFor(() => expect(context.values.get(`kafka_broker_up{broker="${bootstrap}/1"}`)).toBe(1), WAIT)
})

test('reports the problems of its headers and properties, with their pointers', () => {
  const settings = fillDefaults(kafkaSink, {
    brokers: 'k:9092',
    headers: { 'Headgate-Route': '/a' },
    properties: { 'a/b': 1 },
  })
  const problems = [...(kafkaSink.check?.(settings, checkContext()) ?? [])]
  expect(problems.map(({ at, code }) => [at, code])).toEqual([
    ['/properties/a~1b', 'HG_CONFIG_UNKNOWN_KEY'],
    ['/headers/Headgate-Route', 'HG_CONFIG_CONFLICT'],
  ])
})

test.each(['kafka:9092', '10.0.0.1:9092,10.0.0.2:9092', '[::1]:9092, k-2.example.com:19092'])(
  'takes %s as brokers',
  (brokers) => {
    expect(fillDefaults(kafkaSink, { brokers }).brokers).toBe(brokers)
  },
)

test.each(['', 'kafka', 'kafka:port', 'a:1,', 'http://kafka:9092'])(
  'does not take "%s" as brokers',
  (brokers) => {
    expect(() => fillDefaults(kafkaSink, { brokers })).toThrow('Not a config of kafka: /brokers')
  },
)
