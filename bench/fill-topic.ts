import { setTimeout as delay } from 'node:timers/promises'
import rdkafka, { type LibrdKafkaError, type WatermarkOffsets } from 'node-rdkafka'

/** Milliseconds. */
const FLUSHED_WITHIN = 60_000
const TIMEOUT = 10_000
const PAUSE_WHEN_FULL = 5
const EMPTY = Buffer.alloc(0)

/** Writes so many records to the first partition of a topic, as small as can be: where they end is all that counts. */
export async function fillTopic(brokers: string, topic: string, count: number): Promise<void> {
  const producer = new rdkafka.Producer({
    'bootstrap.servers': brokers,
    'enable.idempotence': true,
    'linger.ms': 20,
    'batch.num.messages': 50_000,
  })
  await done((ended) => producer.connect({ allTopics: false }, ended))
  // Room in its queue is made by its reports, though nobody looks at them.
  producer.setPollInterval(PAUSE_WHEN_FULL)
  try {
    for (let sent = 0; sent < count; ) {
      if (send(producer, topic)) sent++
      else await delay(PAUSE_WHEN_FULL)
    }
    await done((ended) => producer.flush(FLUSHED_WITHIN, ended))
    const { highOffset } = await done<WatermarkOffsets>((ended) =>
      producer.queryWatermarkOffsets(topic, 0, TIMEOUT, ended),
    )
    if (highOffset !== count)
      throw new Error(`The topic ${topic} has ${highOffset} records instead of ${count}.`)
  } finally {
    await done((ended) => producer.disconnect(ended))
  }
}

/** False where there is no room in the producer's queue at present. */
function send(producer: rdkafka.Producer, topic: string): boolean {
  try {
    producer.produce(topic, 0, EMPTY)
    return true
  } catch (error) {
    if ((error as LibrdKafkaError).code === rdkafka.CODES.ERRORS.ERR__QUEUE_FULL) return false
    throw error
  }
}

type Ended<Result> = (error?: LibrdKafkaError | null, result?: Result) => void

const done = <Result>(start: (ended: Ended<Result>) => void): Promise<Result> =>
  new Promise((resolve, reject) =>
    start((error, result) => (error ? reject(error) : resolve(result as Result))),
  )
