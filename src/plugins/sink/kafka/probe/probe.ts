import type { Metadata, Producer } from 'node-rdkafka'
import type { ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import { missingCodecs } from '../codecs.js'
import { type ClientConfig, clientConfig, type Properties } from '../properties.js'
import { metadata, release } from '../session.js'
import { addressesOf, format, type Reached, reachBroker, socketReason } from './addresses.js'
import { type Connection, openConnection, reach } from './connection.js'
import { describeConfigs, describeTopics, OFFSETS_TOPIC } from './describe.js'
import { groupFindings } from './group.js'
import { securityOf } from './security.js'
import { type ClusterTopics, SETTINGS, topicFindings, topicsOf } from './topics.js'

interface Settings {
  readonly brokers: string
  readonly key?: string
  readonly properties: Properties
}

type Connected = Extract<Reached, { client: Producer }>

/**
 * Asks the cluster whether records could be written, read back and acknowledged. Reachability, logins, topics and the
 * group are asked with librdkafka, as the sink does; what node-rdkafka does not hand on (settings of topics, rights),
 * over a connection of our own with the same properties.
 */
export async function* probe(settings: Settings, context: ProbeContext): AsyncIterable<Probed> {
  const { pipeline, at, signal } = context
  const timeout = oneOfThree(context)
  const config = clientConfig(settings.brokers, settings.properties, `headgate-${pipeline}`)
  const addresses = addressesOf(settings.brokers)
  const reached = await Promise.all(addresses.map((address) => reachBroker(config, address, timeout, signal)))
  const connected = reached.filter((one): one is Connected => 'client' in one)
  try {
    for (const one of reached) yield addressFinding(one, addresses.length, settings.properties, at)
    const [first] = connected
    if (first === undefined) {
      yield { kind: 'unchecked', message: 'Topics and the consumer group: no broker could be asked.' }
      return
    }
    const cluster = await metadata(first.client, { allTopics: true, timeout })
    yield* await advertisedFindings(cluster, context)
    const own = await askByOurselves(config, first, context)
    const visible = cluster.topics
    const topics = visible.map(({ name, partitions }) => ({ name, partitions: partitions.length }))
    yield { kind: 'topics', topics }
    yield* topicFindings(
      { visible, ...own },
      {
        ...context,
        cluster: settings,
        keyed: settings.key !== undefined,
        batchSize: Number(config.global['batch.size']),
        missingCodecs: missingCodecs(),
      },
    )
    yield* await groupFindings(config, first.address, { visible, ...own }, { ...context, cluster: settings })
  } finally {
    await Promise.all(connected.map(({ client }) => release(client)))
  }
}

/** Milliseconds. Addresses, what brokers say of theirs, and topics are asked one after the other. */
const oneOfThree = ({ timeout }: ProbeContext): number => Math.ceil(timeout / 3)

function addressFinding(reached: Reached, of: number, properties: Properties, at: string): Probed {
  const where = format(reached.address)
  if ('client' in reached) return { kind: 'checked', message: `Kafka answers at ${where}.` }
  const { why, advice } = reached
  return {
    kind: 'error',
    at:
      advice !== undefined && advice.property in properties
        ? child(`${at}/properties`, advice.property)
        : `${at}/brokers`,
    code: 'HG_KAFKA_UNAVAILABLE',
    message: `Kafka cannot be reached at ${where}${of > 1 ? `, one of ${of} addresses` : ''}: ${why}.`,
    ...(advice !== undefined && { suggestion: advice.suggestion }),
  }
}

/** Clients talk to brokers where these say that they are, which may be known inside their own network only. */
async function advertisedFindings({ brokers }: Metadata, context: ProbeContext) {
  const { at, signal } = context
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(oneOfThree(context))])
  const looked = brokers.map(async ({ id, host, port }): Promise<Probed[]> => {
    try {
      await reach({ host, port }, deadline)
      return []
    } catch (error) {
      const message = `Broker ${id} says that it is at ${format({ host, port })}, where it cannot be reached: ${socketReason(error)}.`
      const suggestion = 'Correct advertised.listeners of the broker, or the network from here to there.'
      return [{ kind: 'error', at: `${at}/brokers`, code: 'HG_KAFKA_UNAVAILABLE', message, suggestion }]
    }
  })
  return (await Promise.all(looked)).flat()
}

/** What node-rdkafka does not hand on. */
type Own = Omit<ClusterTopics, 'visible'>

async function askByOurselves(
  config: ClientConfig,
  { address }: Connected,
  { signal, ...context }: ProbeContext,
): Promise<Own> {
  const security = securityOf(config)
  if (typeof security === 'string') {
    const why = `only librdkafka can connect here (${security}), and it does not hand that on`
    return { answers: undefined, settings: undefined, why }
  }
  const topics = topicsOf(context)
  let connection: Connection | undefined
  let answers: Own['answers']
  try {
    connection = await openConnection(address, security, signal)
    const described = await describeTopics(connection, [...topics, OFFSETS_TOPIC])
    answers = new Map(described.map((topic) => [topic.name, topic]))
    const existing = topics.filter((topic) => answers?.get(topic)?.state === 'exists')
    const settings = await describeConfigs(connection, existing, SETTINGS)
    return { answers, settings, why: '' }
  } catch (error) {
    return { answers, settings: undefined, why: socketReason(error) }
  } finally {
    connection?.close()
  }
}
