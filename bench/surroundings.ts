import { openConsumer } from '../src/plugins/sink/kafka/consumer.js'
import { startKafka } from '../src/sandbox/kafka.js'
import { ROUTES, TOPICS } from '../src/sandbox/routes.js'
import { kafkaClassPath } from '../test/helpers/kafka-class-path.js'
import { startKafkaCluster } from '../test/helpers/kafka-cluster.js'
import { createTopic } from '../test/helpers/kafka-topics.js'
import { askingOf, nextMessage, startChild, stopChild } from './child.js'
import type { CxoneAsk } from './cxone.js'

/** What the programs under test work with: Kafka and CXone, each in a process of its own. */
export interface Environment {
  /** Which Kafka it is, for the report. */
  readonly kafka: string
  /** What a program under test is given. */
  readonly env: { readonly [name: string]: string }
  readonly brokers: string
  readonly token: string
  /** How many events have been acknowledged since the start. */
  acknowledged(): Promise<number>
  /** Whether CXone takes acknowledgements, which it does at first, or answers 503. */
  takeAcknowledgements(takes: boolean): Promise<void>
  /** Makes a topic without records, and says its name. The embedded broker cannot: there, it is one of those that are. */
  emptyTopic(): Promise<string>
  stop(): Promise<void>
}

const PARTITIONS = 3
/** Unlike the tests, worth optimizing for: the broker shares the machine with what is measured. */
const JVM = ['-Xmx600m', '-XX:+UseSerialGC']
/** Millions of events do not fill the disk, and the largest fit. */
const TOPIC = {
  'segment.bytes': String(16 * 2 ** 20),
  'retention.bytes': String(64 * 2 ** 20),
  'max.message.bytes': String(2 ** 21),
}
const BROKER = { 'log.retention.check.interval.ms': '5000', 'log.segment.delete.delay.ms': '1000' }
const CREDENTIALS = { CXONE_CLIENT_ID: 'bench-client', CXONE_CLIENT_SECRET: 'bench-client-secret' }
const TOKEN = 'bench-token'

export async function startSurroundings(): Promise<Environment> {
  const kafka = await startBroker()
  const cxone = startChild('cxone.js', CREDENTIALS)
  const { url } = await nextMessage<{ url: string }>(cxone)
  const { ask } = askingOf<CxoneAsk>(cxone)
  return {
    kafka: kafka.name,
    env: { ...CREDENTIALS, KAFKA_BROKERS: kafka.bootstrap, CXONE_BASE_URL: url, WEBHOOK_TOKEN: TOKEN },
    brokers: kafka.bootstrap,
    token: TOKEN,
    acknowledged: () => ask('acknowledged'),
    takeAcknowledgements: (takes) => ask(takes ? 'take' : 'refuse'),
    emptyTopic: kafka.emptyTopic,
    async stop() {
      await stopChild(cxone)
      await kafka.stop()
    },
  }
}

interface Broker {
  readonly name: string
  readonly bootstrap: string
  emptyTopic(): Promise<string>
  stop(): Promise<void>
}

async function startBroker(): Promise<Broker> {
  try {
    await kafkaClassPath()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.error(`Using the embedded broker, because ${reason}`)
    const { bootstrap, stop } = await startKafka(TOPICS)
    const emptyTopic = async () => ROUTES[2].topic
    return { name: 'embedded broker (not a real Kafka)', bootstrap, emptyTopic, stop }
  }
  const cluster = await startKafkaCluster({ jvm: JVM, properties: BROKER })
  for (const topic of TOPICS)
    await createTopic(cluster.bootstrap, topic, { partitions: PARTITIONS, config: TOPIC })
  const { bootstrap, stop } = cluster
  await makeOffsetsTopic(bootstrap)
  let made = 0
  const emptyTopic = async () => {
    const topic = `bench.${made++}`
    await createTopic(bootstrap, topic, { config: TOPIC })
    return topic
  }
  return { name: 'Apache Kafka, one node', bootstrap, emptyTopic, stop }
}

/**
 * Kafka makes the topic of the groups' offsets when the first group is asked about, which takes it a second or so: the
 * first start of a program must not be charged with that.
 */
async function makeOffsetsTopic(bootstrap: string): Promise<void> {
  const global = { 'bootstrap.servers': bootstrap, 'group.id': 'bench' }
  const consumer = await openConsumer({ global, topic: {} }, () => {})
  await consumer.committed([{ topic: TOPICS[0] as string, partition: 0 }])
  await consumer.close()
}
