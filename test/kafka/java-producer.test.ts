import { expect, test } from 'vitest'
import { javaPartition } from '../helpers/kafka/murmur2.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { kafkaToolWith } from '../helpers/kafka/tool.js'

const CODECS = ['zstd', 'gzip', 'snappy', 'lz4'] as const
/** Prime, so that all bits of a hash count. */
const PARTITIONS = 97
/** The empty key first. No tab and no line end: those divide the input of the tool. */
const KEYS = ['', ...Array.from({ length: 200 }, (_, n) => `${n * 7919}-${'é€x'.repeat(n % 11)}`)]

/** Writes records with the Java client. */
async function produce(topic: string, codec: string, records: readonly (readonly [string, string])[]) {
  const input = records.map(([key, value]) => `${key}\t${value}\n`).join('')
  const options = ['--topic', topic, '--compression-codec', codec, '--property', 'parse.key=true']
  await kafkaToolWith(input, sharedKafka(), 'org.apache.kafka.tools.ConsoleProducer', ...options)
}

describeKafka('records of the Java client', () => {
  test.each(CODECS)('can be read back if they are compressed with %s', async (codec) => {
    const topic = await sharedTopic()
    const records = KEYS.map((key, n) => [key, `{"n":${n},"text":"${'again '.repeat(50)}"}`] as const)
    await produce(topic, codec, records)
    const { log } = await startSink(sharedKafka(), [{ topic, partition: 0 }])
    const read: string[] = []
    await log.read([{ topic, partition: 0, offset: 0 }], ({ value }) => read.push(value.toString()))
    expect(read).toEqual(records.map(([, value]) => value))
  })

  test('are in the same partitions as ours with the same keys', async () => {
    const topic = await sharedTopic({ partitions: PARTITIONS })
    await produce(
      topic,
      'none',
      KEYS.map((key) => [key, 'java']),
    )
    const { sink, log } = await startSink(sharedKafka(), [{ topic }])
    await Promise.all(
      KEYS.map((key) =>
        sink.send({ target: { topic }, key: Buffer.from(key), value: Buffer.from('ours'), headers: [] }),
      ),
    )
    const placed = { java: new Map<string, number>(), ours: new Map<string, number>() }
    const from = (await log.partitions()).map(({ start, ...place }) => ({ ...place, offset: start }))
    await log.read(from, ({ key, value, partition }) =>
      placed[value.toString() as keyof typeof placed].set(key?.toString() ?? 'no key', partition),
    )
    const expected = new Map(KEYS.map((key) => [key, javaPartition(Buffer.from(key), PARTITIONS)]))
    const sorted = (map: ReadonlyMap<string, number>) => [...map].toSorted()
    expect(sorted(placed.java)).toEqual(sorted(expected))
    expect(sorted(placed.ours)).toEqual(sorted(expected))
  })
})

describeKafka('a topic whose records the broker compresses with zstd', () => {
  test('is written and read back', async () => {
    const topic = await sharedTopic({ config: { 'compression.type': 'zstd' } })
    const { send, read } = await startSink(sharedKafka(), [{ topic, partition: 0 }])
    await Promise.all(['a', 'b', 'c'].map((id) => send({ topic, partition: 0 }, id)))
    expect(await read()).toEqual(['a', 'b', 'c'])
  })
})
