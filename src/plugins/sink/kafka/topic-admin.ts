import rdkafka, { type IAdminClient, type LibrdKafkaError, type NewTopic } from 'node-rdkafka'
import { HeadgateError } from '../../../contract/errors.js'
import type { NewTopicOptions, TopicAdmin } from '../../../contract/index.js'
import type { ClientSettings } from './client-settings.js'
import { connect, metadata, release } from './producer/producer.js'
import { clientConfig } from './properties.js'

const { ERRORS } = rdkafka.CODES
const REFUSED: readonly number[] = [
  ERRORS.ERR_TOPIC_AUTHORIZATION_FAILED,
  ERRORS.ERR_CLUSTER_AUTHORIZATION_FAILED,
]
/** The broker takes its own default for -1 (KIP-464, Kafka 2.4). */
const AS_THE_BROKER_IS_SET = -1

/** Connects as the sink would. `timeout`: milliseconds for each question. */
export async function openTopicAdmin(settings: ClientSettings, timeout: number): Promise<TopicAdmin> {
  const config = clientConfig(settings.brokers, settings.properties, 'headgate-topics')
  const producer = new rdkafka.Producer(config.global, config.topic)
  // Without a listener, the error would be thrown.
  producer.on('event.error', () => {})
  await connect(producer, timeout)
  try {
    const { brokers, topics } = await metadata(producer, { allTopics: true, timeout })
    const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
    const admin = rdkafka.AdminClient.create(config.global)
    const ask = (work: (admin: IAdminClient, done: Done) => void) =>
      new Promise<LibrdKafkaError | undefined>((resolve) =>
        work(admin, (error) => resolve(error ?? undefined)),
      )
    const checked = (error: LibrdKafkaError | undefined, topic: string, done: string, operation: string) => {
      if (error === undefined || error.code === ERRORS.ERR_TOPIC_ALREADY_EXISTS) return
      const isRefused = REFUSED.includes(error.code)
      const advice = isRefused
        ? ` An administrator can allow it: ${allowCommand(settings, [operation], '--topic', topic)}`
        : ''
      throw new HeadgateError(
        isRefused ? 'HG_KAFKA_NOT_ALLOWED' : 'HG_KAFKA_UNAVAILABLE',
        `Topic "${topic}" cannot be ${done}: ${error.message.replace(/\.$/, '')}.${advice}`,
      )
    }
    return {
      brokers: brokers.length,
      partitionsOf: (topic) => partitions.get(topic) ?? 0,
      async create(topic, options) {
        const { partitions: count, replicas } = options
        const wanted: NewTopic = {
          topic,
          num_partitions: count ?? AS_THE_BROKER_IS_SET,
          replication_factor: replicas ?? AS_THE_BROKER_IS_SET,
          config: newTopicConfig(options),
        }
        checked(
          await ask((admin, done) => admin.createTopic(wanted, timeout, done)),
          topic,
          'created',
          'Create',
        )
      },
      async addPartitions(topic, total) {
        const error = await ask((admin, done) => admin.createPartitions(topic, total, timeout, done))
        checked(error, topic, 'given more partitions', 'Alter')
      },
      createCommand: (topic, options) => createTopicCommand(settings, topic, options),
      addPartitionsCommand: (topic, total) => addPartitionsCommand(settings, topic, total),
      async close() {
        admin.disconnect()
        await release(producer)
      },
    }
  } catch (error) {
    await release(producer)
    throw error
  }
}

type Done = (error: LibrdKafkaError) => void

/** Two of three replicas have to confirm: with one broker lost, the topic still accepts and keeps records. */
const minInSync = (replicas: number | undefined): string | undefined =>
  replicas !== undefined && replicas >= 3 ? '2' : undefined

/** Settings that Headgate gives to a topic that it creates. */
export function newTopicConfig({ replicas, keepFor }: NewTopicOptions): { readonly [name: string]: string } {
  const needed = minInSync(replicas)
  return {
    ...(needed !== undefined && { 'min.insync.replicas': needed }),
    ...(keepFor !== undefined && {
      'cleanup.policy': 'delete',
      'retention.ms': String(keepFor),
      'retention.bytes': '-1',
    }),
  }
}

/** Commands of Kafka's own tools, to paste. Their login is in a file of the operator: the properties of librdkafka are not theirs. */
export function createTopicCommand(cluster: ClientSettings, topic: string, options: NewTopicOptions): string {
  const { partitions, replicas } = options
  return [
    ...tool('kafka-topics.sh', cluster),
    `--create --topic ${topic}`,
    ...(partitions === undefined ? [] : [`--partitions ${partitions}`]),
    ...(replicas === undefined ? [] : [`--replication-factor ${replicas}`]),
    ...Object.entries(newTopicConfig(options)).map(([name, value]) => `--config ${name}=${value}`),
  ].join(' ')
}

export const addPartitionsCommand = (cluster: ClientSettings, topic: string, total: number): string =>
  [...tool('kafka-topics.sh', cluster), `--alter --topic ${topic} --partitions ${total}`].join(' ')

/** `resource`: such as `--topic orders` or `--group headgate.orders`. */
export function allowCommand(
  cluster: ClientSettings,
  operations: readonly string[],
  resource: '--topic' | '--group' | '--transactional-id',
  name: string,
): string {
  const user = cluster.properties['sasl.username']
  return [
    ...tool('kafka-acls.sh', cluster),
    `--add --allow-principal ${user === undefined ? 'User:NAME' : shellWord(`User:${user}`)}`,
    ...operations.map((operation) => `--operation ${operation}`),
    `${resource} ${shellWord(name)}`,
  ].join(' ')
}

const tool = (name: string, { brokers, properties }: ClientSettings): string[] => [
  name,
  `--bootstrap-server ${brokers.replaceAll(' ', '')}`,
  ...(/sasl|ssl/i.test(String(properties['security.protocol'] ?? ''))
    ? ['--command-config client.properties']
    : []),
]

const shellWord = (text: string): string =>
  /^[\w.:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
