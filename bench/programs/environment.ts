import { openConsumer } from '../../src/plugins/sink/kafka/log/consumer.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { ROUTES, TOPICS } from '../../src/sandbox/routes.js'
import { kafkaClassPath } from '../../test/helpers/kafka/class-path.js'
import { startKafkaCluster } from '../../test/helpers/kafka/cluster.js'
import { createTopic } from '../../test/helpers/kafka/topics.js'
import type { CxoneAsk } from '../stand-ins/cxone.js'
import { nextMessage, requestsTo, startChild, stopChild } from './child.js'

/** The services for the programs under test: Kafka and CXone, each in a process of its own. */
export interface Environment {
  /** The version of Kafka, for the report. */
  readonly kafka: string
  /** The variables of a program under test. */
  readonly env: { readonly [name: string]: string }
  readonly brokers: string
  readonly token: string
  /** The number of acknowledged events since the start. */
  acknowledged(): Promise<number>
  /** Makes CXone accept acknowledgements, as it does at first, or reject them with 503. */
  takeAcknowledgements(takes: boolean): Promise<void>
  /**
   * Creates a topic without records and returns its name. The embedded broker cannot create topics: there, it is an
   * existing one.
   */
  emptyTopic(partitions?: number): Promise<string>
  stop(): Promise<void>
}

const PARTITIONS = 3
/**
 * Unlike in the tests, the JIT compiler is worth its cost: the broker shares the machine with the measured programs.
 */
const JVM = ['-Xmx600m', '-XX:+UseSerialGC']
/** Millions of events must not fill the disk, and the largest must fit into a batch. */
const TOPIC = {
  'segment.bytes': String(16 * 2 ** 20),
  'retention.bytes': String(64 * 2 ** 20),
  'max.message.bytes': String(2 ** 21),
}
const BROKER = { 'log.retention.check.interval.ms': '5000', 'log.segment.delete.delay.ms': '1000' }
const CREDENTIALS = { CXONE_CLIENT_ID: 'bench-client', CXONE_CLIENT_SECRET: 'bench-client-secret' }
const TOKEN = 'bench-token'

export async function startEnvironment(): Promise<Environment> {
  const kafka = await startBroker()
  const cxone = startChild(new URL('../stand-ins/cxone.js', import.meta.url), CREDENTIALS)
  const { url } = await nextMessage<{ url: string }>(cxone)
  const { ask } = requestsTo<CxoneAsk>(cxone)
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
  emptyTopic(partitions?: number): Promise<string>
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
  const emptyTopic = async (partitions = 1) => {
    const topic = `bench.${made++}`
    await createTopic(bootstrap, topic, { partitions, config: TOPIC })
    return topic
  }
  return { name: 'Apache Kafka, one node', bootstrap, emptyTopic, stop }
}

/**
 * Kafka creates the topic of the groups' offsets at the first request for a group, which takes about a second: it
 * must not count for the first start of a program.
 */
async function makeOffsetsTopic(bootstrap: string): Promise<void> {
  const global = { 'bootstrap.servers': bootstrap, 'group.id': 'bench' }
  const consumer = await openConsumer({ global, topic: {} }, () => {})
  await consumer.committed([{ topic: TOPICS[0] as string, partition: 0 }])
  await consumer.close()
}
