import rdkafka from 'node-rdkafka'
import type { ProbeContext, Probed } from '../../../../contract/index.js'
import type { ClientSettings } from '../client-settings.js'
import { groupNotAllowed } from '../inbox/requirements.js'
import { openConsumer } from '../log/consumer.js'
import { type ClientConfig, consumerConfig } from '../properties.js'
import { socketReason } from '../protocol/addresses.js'
import { type Address, type Connection, openConnection } from '../protocol/connection.js'
import { connectionSettings } from '../protocol/connection-settings.js'
import { describeGroup, OFFSETS_TOPIC } from '../protocol/describe.js'
import type { ClusterTopics } from './topics.js'

/** The cluster, as far as it was asked before. */
export interface AskedCluster extends Pick<ClusterTopics, 'visible' | 'described'> {
  readonly config: ClientConfig
  /** One that responds. */
  readonly broker: Address
}

export type GroupTerms = Pick<ProbeContext, 'at' | 'targets' | 'signal'> & {
  /** For commands to paste. */
  readonly cluster: ClientSettings
}

const REFUSED = rdkafka.CODES.ERRORS.ERR_GROUP_AUTHORIZATION_FAILED

/** Whether instances without an inbox could find each other in a group, so that only one of them is active. */
export async function instancesFindings(
  asked: AskedCluster,
  terms: GroupTerms,
  group: string,
): Promise<Probed[]> {
  const settings = connectionSettings(asked.config)
  if (typeof settings === 'string') {
    const message = `Consumer group "${group}" is not used: only librdkafka can connect here (${settings}), so a second instance of the pipeline would not be noticed.`
    return [{ kind: 'unchecked', message }]
  }
  return groupFindings(asked, terms, group, `Instances can find each other in consumer group "${group}".`)
}

/** Without the topic of their offsets there are none, and a request would create it. */
export const hasGroups = ({ visible, described }: Pick<AskedCluster, 'visible' | 'described'>): boolean =>
  visible.some(({ name }) => name === OFFSETS_TOPIC) || described?.get(OFFSETS_TOPIC)?.state === 'hidden'

/** Whether the user may use a group; `allowed` says what for. Reads its position, and commits nothing. */
export async function groupFindings(
  { config, broker, visible, described }: AskedCluster,
  { at, targets, signal, cluster }: GroupTerms,
  group: string,
  allowed: string,
): Promise<Probed[]> {
  if (!hasGroups({ visible, described })) {
    const message = `Consumer group "${group}" was not checked: the cluster has no ${OFFSETS_TOPIC} yet, and a request would create it.`
    return [{ kind: 'unchecked', message }]
  }
  const partitions = visible
    .filter(({ name }) => targets.some(({ target }) => target.topic === name))
    .flatMap((topic) => topic.partitions.map(({ id }) => ({ topic: topic.name, partition: id })))
  if (partitions.length === 0) return []
  const notAllowed: Probed = { kind: 'error', at: `${at}/brokers`, ...groupNotAllowed(cluster, group) }
  try {
    const consumer = await openConsumer(consumerConfig(config, group, 'asking'), () => {})
    await consumer.committed(partitions).finally(() => consumer.close())
  } catch (error) {
    const { message, cause } = error as Error
    if ((cause as { code?: unknown } | undefined)?.code === REFUSED) return [notAllowed]
    const text = `Consumer group "${group}": ${message}`
    return [{ kind: 'error', at: `${at}/brokers`, code: 'HG_KAFKA_UNAVAILABLE', message: text }]
  }
  const checked: Probed = { kind: 'checked', message: allowed }
  const rights = await rightsOf(config, broker, group, signal)
  if (typeof rights === 'string') {
    const message = `The cluster does not report whether the user has the right Read on consumer group "${group}": ${rights}.`
    return [checked, { kind: 'unchecked', message }]
  }
  return rights.has('Read') ? [checked] : [notAllowed]
}

async function rightsOf(config: ClientConfig, broker: Address, group: string, signal: AbortSignal) {
  const settings = connectionSettings(config)
  if (typeof settings === 'string') return settings
  const connect = (address: Address) => openConnection(address, settings, signal)
  let connection: Connection | undefined
  try {
    connection = await connect(broker)
    return (await describeGroup(connection, group, connect)) ?? 'it leaves rights out'
  } catch (error) {
    return socketReason(error)
  } finally {
    connection?.close()
  }
}
