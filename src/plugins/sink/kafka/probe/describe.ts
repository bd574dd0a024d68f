import rdkafka from 'node-rdkafka'
import type { Address, Connection } from './connection.js'
import { bool, int8, list, text } from './wire.js'

const METADATA = 3
const FIND_COORDINATOR = 10
const DESCRIBE_GROUPS = 15
const DESCRIBE_CONFIGS = 32
const TOPIC_RESOURCE = 2
const GROUP_KEY = 0

/** Where Kafka keeps what groups have committed. Asking for a group makes a broker create it. */
export const OFFSETS_TOPIC = '__consumer_offsets'

const { ERRORS } = rdkafka.CODES

/** What a user may do, as Kafka names it; undefined where the cluster does not say. */
export type Rights = ReadonlySet<'Read' | 'Write' | 'Describe'>

export interface TopicAnswer {
  readonly name: string
  /** `hidden`: these credentials may not even ask whether it exists. */
  readonly state: 'exists' | 'missing' | 'hidden' | 'failed'
  readonly rights: Rights | undefined
}

/** Asks for topics by name. Brings none into being. */
export async function describeTopics(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
): Promise<TopicAnswer[]> {
  const answer = await ask(METADATA, 8, [list(topics, text), bool(false), bool(false), bool(true)])
  answer.int32()
  answer.list(() => [answer.int32(), answer.text(), answer.int32(), answer.text()])
  answer.text()
  answer.int32()
  const integers = () => answer.list(() => answer.int32())
  return answer.list(() => {
    const state = stateOf(answer.int16())
    const name = answer.text()
    answer.bool()
    answer.list(() => [
      answer.int16(),
      answer.int32(),
      answer.int32(),
      answer.int32(),
      integers(),
      integers(),
      integers(),
    ])
    return { name, state, rights: rightsOf(answer.int32()) }
  })
}

function stateOf(error: number): TopicAnswer['state'] {
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

/** The settings of topics by their names. */
export async function describeConfigs(
  { ask }: Pick<Connection, 'ask'>,
  topics: readonly string[],
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicSettings>> {
  const resource = (topic: string) => Buffer.concat([int8(TOPIC_RESOURCE), text(topic), list(names, text)])
  const answer = await ask(DESCRIBE_CONFIGS, 1, [list(topics, resource), bool(false)])
  answer.int32()
  const described = answer.list(() => {
    const error = answer.int16()
    const reason = answer.text()
    answer.int8()
    const topic = answer.text()
    const settings = answer.list((): [string, string] => {
      const setting: [string, string] = [answer.text(), answer.text()]
      answer.bool()
      answer.int8()
      answer.bool()
      answer.list(() => [answer.text(), answer.text(), answer.int8()])
      return setting
    })
    return [topic, error === 0 ? new Map(settings) : whyNot(error, reason)] as const
  })
  return new Map(described)
}

const whyNot = (error: number, reason: string): string =>
  error === ERRORS.ERR_TOPIC_AUTHORIZATION_FAILED
    ? 'the user of the sink lacks the right DescribeConfigs'
    : reason || `the broker answers with error ${error}`

/** What the user may do with a group; undefined where the cluster does not say. `connect` reaches its coordinator. */
export async function describeGroup(
  { ask }: Pick<Connection, 'ask'>,
  group: string,
  connect: (coordinator: Address) => Promise<Connection>,
): Promise<Rights | undefined> {
  const answer = await ask(FIND_COORDINATOR, 1, [text(group), int8(GROUP_KEY)])
  answer.int32()
  const error = answer.int16()
  const reason = answer.text()
  answer.int32()
  if (error !== 0) throw new Error(reason || `the broker answers with error ${error}`)
  const coordinator = await connect({ host: answer.text(), port: answer.int32() })
  try {
    return await rightsOnGroup(coordinator, group)
  } finally {
    coordinator.close()
  }
}

async function rightsOnGroup({ ask }: Connection, group: string): Promise<Rights | undefined> {
  const answer = await ask(DESCRIBE_GROUPS, 3, [list([group], text), bool(true)])
  answer.int32()
  const [rights] = answer.list(() => {
    const error = answer.int16()
    for (const _ of ['group', 'state', 'protocol type', 'protocol']) answer.text()
    answer.list(() => [answer.text(), answer.text(), answer.text(), answer.blob(), answer.blob()])
    const rights = rightsOf(answer.int32())
    return error === 0 ? rights : undefined
  })
  return rights
}
