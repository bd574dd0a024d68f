import { promisify } from 'node:util'
import rdkafka, { type KafkaConsumer, type Message, type Metadata, type TopicPartition } from 'node-rdkafka'

/** A record as any consumer sees it. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970; the topic decides whether of creation or of append. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer
  readonly headers: { readonly [name: string]: string }
}

interface Reader {
  /** Resolves when all records that were in the topics at the time of the call have been visited. */
  caughtUp(): Promise<void>
  close(): Promise<void>
}

const BATCH = 1000
/** Milliseconds that a fetch waits for more records. */
const FETCH_WAIT = 50
const TIMEOUT = 10_000
/** RD_KAFKA_OFFSET_BEGINNING: without it, an assigned consumer starts from the committed offsets of its group. */
const FROM_START = -2

/** All records of these topics, from their start to their present end, by a consumer that is independent of Headgate. */
export async function readTopics(bootstrap: string, topics: readonly string[]): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  const reader = await followTopics(bootstrap, topics, (record) => records.push(record))
  try {
    await reader.caughtUp()
  } finally {
    await reader.close()
  }
  return records
}

/** Visits every record of these topics, from their start, until it is closed. */
export async function followTopics(
  bootstrap: string,
  topics: readonly string[],
  visit: (record: ReadRecord) => void,
): Promise<Reader> {
  const consumer = new rdkafka.KafkaConsumer(
    {
      'metadata.broker.list': bootstrap,
      'group.id': 'headgate-sandbox-reader',
      'enable.auto.commit': false,
      'enable.partition.eof': true,
      'fetch.wait.max.ms': FETCH_WAIT,
      log_level: 3,
    },
    {},
  )
  consumer.setDefaultConsumeTimeout(FETCH_WAIT)
  const connect = promisify(consumer.connect.bind(consumer))
  const consume = promisify(consumer.consume.bind(consumer)) as (count: number) => Promise<Message[]>
  const disconnect = promisify((done: () => void) => consumer.disconnect(done))

  const metadata = await connect({ allTopics: true, timeout: TIMEOUT })
  const missing = topics.filter((topic) => !metadata.topics.some(({ name }) => name === topic))
  if (missing.length > 0) {
    await disconnect()
    throw new Error(`Kafka has no topic ${missing.join(', ')}.`)
  }
  const partitions = partitionsOf(metadata, topics)
  consumer.assign(partitions.map((partition) => ({ ...partition, offset: FROM_START })))

  const positions = new Map<string, number>()
  consumer.on('partition.eof', (end) => positions.set(nameOf(end), end.offset))
  const readBatch = async () => {
    for (const message of await consume(BATCH)) {
      positions.set(nameOf(message), message.offset + 1)
      visit(toRecord(message))
    }
  }

  let open = true
  let batch = readBatch()
  const reading = (async () => {
    for (; open; batch = readBatch()) await batch
    await batch
  })()
  // `caughtUp` and `close` report a failure; until one of them is called, it must not count as an unhandled rejection.
  reading.catch(() => {})

  return {
    async caughtUp() {
      const ends = await Promise.all(partitions.map((partition) => endOf(consumer, partition)))
      const behind = () => ends.some(({ name, offset }) => (positions.get(name) ?? 0) < offset)
      while (behind()) await batch
    },
    async close() {
      open = false
      await reading.finally(disconnect)
    },
  }
}

const partitionsOf = (metadata: Metadata, topics: readonly string[]): TopicPartition[] =>
  metadata.topics
    .filter(({ name }) => topics.includes(name))
    .flatMap(({ name, partitions }) => partitions.map(({ id }) => ({ topic: name, partition: id })))

async function endOf(consumer: KafkaConsumer, at: TopicPartition): Promise<{ name: string; offset: number }> {
  const offset = await new Promise<number>((resolve, reject) => {
    consumer.queryWatermarkOffsets(at.topic, at.partition, TIMEOUT, (error, offsets) => {
      if (error) reject(new Error(`Cannot read the end of ${nameOf(at)}: ${error.message}`))
      else resolve(offsets.highOffset)
    })
  })
  return { name: nameOf(at), offset }
}

function toRecord({ topic, partition, offset, timestamp, key, value, headers = [] }: Message): ReadRecord {
  return {
    topic,
    partition,
    offset,
    timestamp: timestamp ?? Number.NaN,
    key: key === null || key === undefined ? null : Buffer.from(key),
    value: value ?? Buffer.alloc(0),
    headers: Object.fromEntries(
      headers.flatMap(Object.entries<string | Buffer>).map(([name, text]) => [name, text.toString()]),
    ),
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
