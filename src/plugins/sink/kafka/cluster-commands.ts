import type { NewTopicOptions } from '../../../contract/index.js'
import type { Properties } from './properties.js'

interface Cluster {
  readonly brokers: string
  readonly properties: Properties
}

/** Of three copies, two have to confirm: one broker can be lost, and records are taken and kept. */
const minInSync = (replicas: number | undefined): string | undefined =>
  replicas !== undefined && replicas >= 3 ? '2' : undefined

/** Settings that Headgate gives to a topic that it creates. */
export function newTopicConfig(replicas: number | undefined): { readonly [name: string]: string } {
  const needed = minInSync(replicas)
  return needed === undefined ? {} : { 'min.insync.replicas': needed }
}

/** Commands of Kafka's own tools, to paste. Their login is in a file of the operator: the properties of librdkafka are not theirs. */
export function createTopicCommand(
  cluster: Cluster,
  topic: string,
  { partitions, replicas }: NewTopicOptions,
): string {
  return [
    ...tool('kafka-topics.sh', cluster),
    `--create --topic ${topic}`,
    ...(partitions === undefined ? [] : [`--partitions ${partitions}`]),
    ...(replicas === undefined ? [] : [`--replication-factor ${replicas}`]),
    ...Object.entries(newTopicConfig(replicas)).map(([name, value]) => `--config ${name}=${value}`),
  ].join(' ')
}

export const addPartitionsCommand = (cluster: Cluster, topic: string, total: number): string =>
  [...tool('kafka-topics.sh', cluster), `--alter --topic ${topic} --partitions ${total}`].join(' ')

/** `resource`: `--topic orders` or `--group headgate.orders`. */
export function allowCommand(
  cluster: Cluster,
  operations: readonly string[],
  resource: '--topic' | '--group',
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

const tool = (name: string, { brokers, properties }: Cluster): string[] => [
  name,
  `--bootstrap-server ${brokers.replaceAll(' ', '')}`,
  ...(/sasl|ssl/i.test(String(properties['security.protocol'] ?? ''))
    ? ['--command-config client.properties']
    : []),
]

const shellWord = (text: string): string =>
  /^[\w.:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
