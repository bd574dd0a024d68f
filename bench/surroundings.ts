import { startKafka } from '../src/sandbox/kafka.js'
import { TOPICS } from '../src/sandbox/routes.js'
import { kafkaClassPath } from '../test/helpers/kafka-class-path.js'
import { startKafkaCluster } from '../test/helpers/kafka-cluster.js'
import { createTopic } from '../test/helpers/kafka-topics.js'
import { nextMessage, startChild, stopChild } from './child.js'

/** What the programs under test work with: Kafka and CXone, each in a process of its own. */
export interface Surroundings {
  /** Which Kafka it is, for the report. */
  readonly kafka: string
  /** What a program under test is given. */
  readonly env: { readonly [name: string]: string }
  readonly token: string
  /** How many events have been acknowledged since the start. */
  acknowledged(): Promise<number>
  stop(): Promise<void>
}

const PARTITIONS = 3
/** Unlike the tests, worth optimizing for: the broker shares the machine with what is measured. */
const JVM = ['-Xmx600m', '-XX:+UseSerialGC']
const CREDENTIALS = { CXONE_CLIENT_ID: 'bench', CXONE_CLIENT_SECRET: 'secret' }
const TOKEN = 'bench-token'

export async function startSurroundings(): Promise<Surroundings> {
  const kafka = await startBroker()
  const cxone = startChild('cxone.js', CREDENTIALS)
  const { url } = await nextMessage<{ url: string }>(cxone)
  return {
    kafka: kafka.name,
    env: { ...CREDENTIALS, KAFKA_BROKERS: kafka.bootstrap, CXONE_BASE_URL: url, WEBHOOK_TOKEN: TOKEN },
    token: TOKEN,
    async acknowledged() {
      const answer = nextMessage<{ acknowledged: number }>(cxone)
      cxone.send('count')
      return (await answer).acknowledged
    },
    async stop() {
      await stopChild(cxone)
      await kafka.stop()
    },
  }
}

async function startBroker(): Promise<{ name: string; bootstrap: string; stop(): Promise<void> }> {
  try {
    await kafkaClassPath()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.error(`Using the embedded broker, because ${reason}`)
    return { name: 'embedded broker (not a real Kafka)', ...(await startKafka(TOPICS)) }
  }
  const cluster = await startKafkaCluster({ jvm: JVM })
  for (const topic of TOPICS) await createTopic(cluster.bootstrap, topic, { partitions: PARTITIONS })
  return { name: 'Apache Kafka, one node', bootstrap: cluster.bootstrap, stop: () => cluster.stop() }
}
