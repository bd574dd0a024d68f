/**
 * The embedded Kafka: librdkafka's mock cluster in its own process. `kafka.ts` starts it with the topics as arguments; it reports
 * its address over IPC, and exits when that channel closes.
 */
import { promisify } from 'node:util'
import rdkafka from 'node-rdkafka'

const CONNECT_TIMEOUT = 10_000

export type KafkaProcessMessage = { readonly bootstrap: string } | { readonly error: string }

async function serve(topics: readonly string[]): Promise<KafkaProcessMessage> {
  // The cluster lives as long as the client that created it, so this producer stays connected although it never produces.
  const config = { 'test.mock.num.brokers': 1, log_level: 3 }
  const producer = new rdkafka.Producer(config)
  const connect = promisify(producer.connect.bind(producer))
  const getMetadata = promisify(producer.getMetadata.bind(producer))
  const { brokers } = await connect({ allTopics: false, timeout: CONNECT_TIMEOUT })
  // The mock creates a topic with four partitions when a client requests its metadata.
  for (const topic of topics) await getMetadata({ topic, allTopics: false, timeout: CONNECT_TIMEOUT })
  const [broker] = brokers
  if (broker === undefined) return { error: 'the mock cluster reported no broker' }
  return { bootstrap: `${broker.host}:${broker.port}` }
}

process.on('disconnect', () => process.exit())

serve(process.argv.slice(2)).then(
  (message) => process.send?.(message),
  (error: unknown) => process.send?.({ error: String(error) } satisfies KafkaProcessMessage),
)
