import rdkafka from 'node-rdkafka'
import type { Address, Connection } from './connection.js'
import { bool, compactList, compactText, int8, list, NO_TAGS, NO_UUID, type Reader, text } from './wire.js'

const METADATA = 3
const FIND_COORDINATOR = 10
const DESCRIBE_GROUPS = 15
const API_VERSIONS = 18
const DESCRIBE_CONFIGS = 32
const TOPIC_RESOURCE = 2
const GROUP_KEY = 0

/** Kafka keeps the committed offsets of groups in it. Asking for a group makes a broker create it. */
export const OFFSETS_TOPIC = '__consumer_offsets'

const { ERRORS } = rdkafka.CODES

/** The rights of a user, by Kafka's names; undefined if the cluster does not report them. */
export type Rights = ReadonlySet<'Read' | 'Write' | 'Describe'>

export interface DescribedTopic {
  readonly name: string
  /** `hidden`: these credentials may not even ask whether it exists. */
  readonly state: 'exists' | 'missing' | 'hidden' | 'failed'
  readonly rights: Rights | undefined
}

/** Asks for topics by name. Creates none. */
export async function describeTopics(
  connection: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<DescribedTopic[]> {
  return (await metadataOf(connection, topics)).described
}

/** Error code, id, leader and its epoch; then all replicas, those in sync and those offline. */
const readPartition = (response: Reader, integers: () => readonly number[]) => [
  response.int16(),
  response.int32(),
  response.int32(),
  response.int32(),
  integers(),
  integers(),
  integers(),
]

async function metadataOf(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<{ readonly cluster: string; readonly described: DescribedTopic[] }> {
  const response = await ask(METADATA, 8, [list(topics, text), bool(false), bool(false), bool(true)])
  response.int32()
  response.list(() => [response.int32(), response.text(), response.int32(), response.text()])
  const cluster = response.text()
  response.int32()
  const integers = () => response.list(() => response.int32())
  const described = response.list(() => {
    const state = stateOf(response.int16())
    const name = response.text()
    response.bool()
    response.list(() => readPartition(response, integers))
    return { name, state, rights: rightsOf(response.int32()) }
  })
  return { cluster, described }
}

/** The newest version of each request that a broker takes; empty if it does not say. */
export async function apiVersions({ ask }: Pick<Connection, 'ask'>): Promise<ReadonlyMap<number, number>> {
  const response = await ask(API_VERSIONS, 0, [])
  const failed = response.int16() !== 0
  const ranges = response.list(() => [response.int16(), response.int16(), response.int16()] as const)
  return new Map(failed ? [] : ranges.map(([key, , newest]) => [key, newest]))
}

/** The first version of Metadata that tells the ids of topics (Kafka 2.8). */
const METADATA_WITH_IDS = 10

/** A topic, and its identity: another topic of the same name, in this cluster or another one, has another. */
export interface TopicIdentity extends Pick<DescribedTopic, 'name' | 'state'> {
  readonly identity: string
}

/**
 * The identities of topics: the ids of cluster and topic, of an old broker only that of the cluster. Undefined when
 * the broker tells neither. Creates no topic.
 */
export async function identifyTopics(
  connection: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<TopicIdentity[] | undefined> {
  const newest = (await apiVersions(connection)).get(METADATA) ?? 0
  if (newest < 8) return undefined
  return newest < METADATA_WITH_IDS ? withClusterId(connection, topics) : withTopicIds(connection, topics)
}

async function withClusterId(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<TopicIdentity[] | undefined> {
  const { cluster, described } = await metadataOf({ ask }, topics)
  if (cluster === '') return undefined
  return described.map(({ name, state }) => ({ name, state, identity: cluster }))
}

async function withTopicIds(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<TopicIdentity[]> {
  const topic = (name: string) => Buffer.concat([NO_UUID, compactText(name), NO_TAGS])
  const body = [NO_TAGS, compactList(topics, topic), bool(false), bool(false), bool(false), NO_TAGS]
  const response = await ask(METADATA, METADATA_WITH_IDS, body)
  response.tags()
  response.int32()
  response.compactList(() => [
    response.int32(),
    response.compactText(),
    response.int32(),
    response.compactText(),
    response.tags(),
  ])
  const cluster = response.compactText()
  response.int32()
  const integers = () => response.compactList(() => response.int32())
  return response.compactList(() => {
    const state = stateOf(response.int16())
    const name = response.compactText()
    const id = response.uuid()
    response.bool()
    response.compactList(() => [readPartition(response, integers), response.tags()])
    response.int32()
    response.tags()
    return { name, state, identity: `${cluster}/${id}` }
  })
}

function stateOf(error: number): DescribedTopic['state'] {
  if (error === ERRORS.ERR_UNKNOWN_TOPIC_OR_PART) return 'missing'
  if (error === ERRORS.ERR_TOPIC_AUTHORIZATION_FAILED) return 'hidden'
  // A topic without a leader exists.
  return error === 0 || error === ERRORS.ERR_LEADER_NOT_AVAILABLE ? 'exists' : 'failed'
}

/** As `org.apache.kafka.common.acl.AclOperation` numbers them. */
const OPERATIONS = [
  ['Read', 3],
  ['Write', 4],
  ['Describe', 8],
] as const
const NOT_SAID = -(2 ** 31)

const rightsOf = (bits: number): Rights | undefined =>
  bits === NOT_SAID
    ? undefined
    : new Set(OPERATIONS.flatMap(([name, code]) => ((bits >> code) & 1 ? [name] : [])))

/** Settings in force, those that come from the broker included; or why they are not shown. */
export type TopicSettings = ReadonlyMap<string, string> | string

/** Whether the broker tells the settings of topics. */
export const tellsConfigs = async (connection: Pick<Connection, 'ask'>): Promise<boolean> =>
  (await apiVersions(connection)).has(DESCRIBE_CONFIGS)

/** The settings of topics by their names. */
export async function describeConfigs(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicSettings>> {
  const resource = (topic: string) => Buffer.concat([int8(TOPIC_RESOURCE), text(topic), list(names, text)])
  const response = await ask(DESCRIBE_CONFIGS, 1, [list(topics, resource), bool(false)])
  response.int32()
  const described = response.list(() => {
    const error = response.int16()
    const reason = response.text()
    response.int8()
    const topic = response.text()
    const settings = response.list((): [string, string] => {
      const setting: [string, string] = [response.text(), response.text()]
      response.bool()
      response.int8()
      response.bool()
      response.list(() => [response.text(), response.text(), response.int8()])
      return setting
    })
    return [topic, error === 0 ? new Map(settings) : whyNot(error, reason)] as const
  })
  return new Map(described)
}

const whyNot = (error: number, reason: string): string =>
  error === ERRORS.ERR_TOPIC_AUTHORIZATION_FAILED
    ? 'the user of the sink lacks the right DescribeConfigs'
    : reason || `the broker responds with error ${error}`

/** The rights of the user on a group; undefined if the cluster does not report them. `connect` reaches its coordinator. */
export async function describeGroup(
  { ask }: Pick<Connection, 'ask'>,
  group: string,
  connect: (coordinator: Address) => Promise<Connection>,
): Promise<Rights | undefined> {
  const response = await ask(FIND_COORDINATOR, 1, [text(group), int8(GROUP_KEY)])
  response.int32()
  const error = response.int16()
  const reason = response.text()
  response.int32()
  if (error !== 0) throw new Error(reason || `the broker responds with error ${error}`)
  const coordinator = await connect({ host: response.text(), port: response.int32() })
  try {
    return await rightsOnGroup(coordinator, group)
  } finally {
    coordinator.close()
  }
}

async function rightsOnGroup({ ask }: Connection, group: string): Promise<Rights | undefined> {
  const response = await ask(DESCRIBE_GROUPS, 3, [list([group], text), bool(true)])
  response.int32()
  const [rights] = response.list(() => {
    const error = response.int16()
    for (const _ of ['group', 'state', 'protocol type', 'protocol']) response.text()
    response.list(() => [response.text(), response.text(), response.text(), response.blob(), response.blob()])
    const rights = rightsOf(response.int32())
    return error === 0 ? rights : undefined
  })
  return rights
}
