import rdkafka from 'node-rdkafka'
import type { ProbeContext, Probed } from '../../../../contract/index.js'
import type { ClientSettings } from '../cluster-client.js'
import { allowCommand } from '../cluster-commands.js'
import { openConsumer } from '../consumer.js'
import { consumerConfig } from '../consumer-config.js'
import type { ClientConfig } from '../properties.js'
import { socketReason } from './addresses.js'
import { type Address, type Connection, openConnection } from './connection.js'
import { describeGroup, OFFSETS_TOPIC } from './describe.js'
import { securityOf } from './security.js'
import type { ClusterTopics } from './topics.js'

type Context = Pick<ProbeContext, 'pipeline' | 'at' | 'targets' | 'signal'> & {
  /** For commands to paste. */
  readonly cluster: ClientSettings
}

const REFUSED = rdkafka.CODES.ERRORS.ERR_GROUP_AUTHORIZATION_FAILED

/** Whether the ledger can keep its position. Reads it, and commits nothing. */
export async function groupFindings(
  config: ClientConfig,
  broker: Address,
  { visible, answers }: ClusterTopics,
  { pipeline, at, targets, signal, cluster }: Context,
): Promise<Probed[]> {
  const group = `headgate.${pipeline}`
  const known = visible.some(({ name }) => name === OFFSETS_TOPIC)
  if (!known && answers?.get(OFFSETS_TOPIC)?.state !== 'hidden') {
    const message = `Consumer group "${group}" was not asked for: the cluster has no ${OFFSETS_TOPIC} yet, and asking creates it.`
    return [{ kind: 'unchecked', message }]
  }
  const places = visible
    .filter(({ name }) => targets.some(({ target }) => target.topic === name))
    .flatMap(({ name, partitions }) => partitions.map(({ id }) => ({ topic: name, partition: id })))
  if (places.length === 0) return []
  const refused = (message: string, code: 'HG_KAFKA_NOT_ALLOWED' | 'HG_KAFKA_UNAVAILABLE'): Probed[] => [
    {
      kind: 'error',
      at: `${at}/brokers`,
      code,
      message,
      ...(code === 'HG_KAFKA_NOT_ALLOWED' && {
        suggestion: `An administrator can allow it: ${allowCommand(cluster, ['Read'], '--group', group)}`,
      }),
    },
  ]
  try {
    const consumer = await openConsumer(consumerConfig(config, group, 'asking'), () => {})
    await consumer.committed(places).finally(consumer.close)
  } catch (error) {
    const { message, cause } = error as Error
    const code = (cause as { code?: unknown } | undefined)?.code
    return refused(
      `Consumer group "${group}": ${message}`,
      code === REFUSED ? 'HG_KAFKA_NOT_ALLOWED' : 'HG_KAFKA_UNAVAILABLE',
    )
  }
  const readable: Probed = {
    kind: 'checked',
    message: `The position of consumer group "${group}" can be read.`,
  }
  const rights = await rightsOf(config, broker, group, signal)
  if (typeof rights === 'string') {
    const message = `Whether the position of consumer group "${group}" can be committed, the cluster does not say: ${rights}.`
    return [readable, { kind: 'unchecked', message }]
  }
  if (rights.has('Read')) return [readable]
  return [
    readable,
    ...refused(`The user lacks the right Read on consumer group "${group}".`, 'HG_KAFKA_NOT_ALLOWED'),
  ]
}

async function rightsOf(config: ClientConfig, broker: Address, group: string, signal: AbortSignal) {
  const security = securityOf(config)
  if (typeof security === 'string') return security
  const connect = (address: Address) => openConnection(address, security, signal)
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
