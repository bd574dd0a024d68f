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
): Promise<TopicReader> {
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
  const metadata = await connect({ allTopics: true, timeout: TIMEOUT })
  const missing = topics.filter((topic) => !metadata.topics.some(({ name }) => name === topic))
  if (missing.length > 0) {
    await disconnect(consumer)
    throw new Error(`Kafka has no topic ${missing.join(', ')}.`)
  }
  return new TopicReader(consumer, partitionsOf(metadata, topics), visit)
}

class TopicReader {
  readonly #consumer: KafkaConsumer
  readonly #partitions: readonly TopicPartition[]
  readonly #visit: (record: ReadRecord) => void
  /** The next offset of each partition. */
  readonly #positions = new Map<string, number>()
  readonly #reading: Promise<void>
  #batch: Promise<void> = Promise.resolve()
  #open = true

  constructor(
    consumer: KafkaConsumer,
    partitions: readonly TopicPartition[],
    visit: (record: ReadRecord) => void,
  ) {
    this.#consumer = consumer
    this.#partitions = partitions
    this.#visit = visit
    consumer.assign(partitions.map((partition) => ({ ...partition, offset: FROM_START })))
    consumer.on('partition.eof', (end) => this.#advance(end, end.offset))
    this.#reading = this.#read()
    // `caughtUp` and `close` report a failure; until one of them is called, it must not count as an unhandled rejection.
    this.#reading.catch(() => {})
  }

  /** Resolves when all records that were in the topics at the time of the call have been visited. */
  async caughtUp(): Promise<void> {
    const ends = await Promise.all(this.#partitions.map((partition) => endOf(this.#consumer, partition)))
    const behind = () => ends.some(({ name, offset }) => (this.#positions.get(name) ?? 0) < offset)
    while (behind()) await this.#batch
  }

  async close(): Promise<void> {
    this.#open = false
    await this.#reading.finally(() => disconnect(this.#consumer))
  }

  /** Never back: the end, behind the marker of a transaction, can be told before the records of the batch are. */
  #advance(partition: { topic: string; partition: number }, offset: number): void {
    const name = nameOf(partition)
    this.#positions.set(name, Math.max(offset, this.#positions.get(name) ?? 0))
  }

  async #read(): Promise<void> {
    while (this.#open) {
      this.#batch = this.#readBatch()
      await this.#batch
    }
  }

  async #readBatch(): Promise<void> {
    const consume = promisify(this.#consumer.consume.bind(this.#consumer)) as (
      count: number,
    ) => Promise<Message[]>
    for (const message of await consume(BATCH)) {
      this.#advance(message, message.offset + 1)
      this.#visit(toRecord(message))
    }
  }
}

const disconnect = (consumer: KafkaConsumer): Promise<unknown> =>
  promisify((done: () => void) => consumer.disconnect(done))()

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
