import type { Metadata, Producer } from 'node-rdkafka'
import type { LintMeaning, ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import { missingCodecs } from '../failures.js'
import { groupsOf, INBOX_SETTINGS, transactionalIdPrefix } from '../inbox/requirements.js'
import { instancesGroup } from '../instances/instance-groups.js'
import { metadata, release } from '../producer/producer.js'
import { type ClientConfig, clientConfig, type Properties } from '../properties.js'
import { addressesOf, format, type Reached, reachBroker, socketReason } from '../protocol/addresses.js'
import { type Connection, openConnection, reach } from '../protocol/connection.js'
import { connectionSettings } from '../protocol/connection-settings.js'
import { describeConfigs, describeTopics, OFFSETS_TOPIC } from '../protocol/describe.js'
import { describeTransactions, type TransactionSupport } from '../protocol/transactions.js'
import { FORMER_TOPICS_LINTS, formerTopicsFindings } from './former-topics.js'
import { groupFindings, instancesFindings } from './groups.js'
import { WORKER_LINTS } from './idle-workers.js'
import { INBOX_LINTS, inboxFindings, transactionFindings } from './inbox.js'
import { sourceFindings } from './source-topics.js'
import { type ClusterTopics, SETTINGS, topicFindings, topicsOf } from './topics.js'

/** Warnings that need the cluster. */
export const PROBE_LINTS = {
  'one-copy': {
    meaning: 'Kafka confirms records of a topic when a single broker has them.',
    why: 'With `acks=all`, all replicas that are in sync have confirmed, which can be a single one here: if that broker is lost, so are events that senders got 2xx for. Use 3 replicas and `min.insync.replicas=2`.',
    needs: 'cluster',
  },
  'body-beyond-topic': {
    meaning: 'The source accepts larger bodies than the largest record of a topic.',
    why: 'Such an event still gets status 413, because of the limit of the topic. Lower `maxBody`, or raise `max.message.bytes` of the topic and `message.max.bytes` of the sink.',
    needs: 'cluster',
  },
  'batch-beyond-topic': {
    meaning: 'The sink makes larger batches than a topic accepts.',
    why: 'A broker rejects such a batch. The sink then sends its records again in smaller batches, which takes time, for this and other topics. Set `batch.size` below the smallest `max.message.bytes`.',
    needs: 'cluster',
  },
  'topic-compacted': {
    meaning: 'A topic is compacted.',
    why: 'The ledger reads event ids back from the records. Compaction removes older records of a key. If the state directory is lost as well, their redeliveries are written a second time.',
    needs: 'cluster',
  },
  'retention-below-window': {
    meaning: 'A topic keeps its records for a shorter time than Headgate has to recognise redeliveries.',
    why: 'The ledger reads event ids back from the records. If the state directory is lost, a redelivery of an event that Kafka no longer has is written a second time.',
    needs: 'cluster',
  },
  ...INBOX_LINTS,
  ...WORKER_LINTS,
  ...FORMER_TOPICS_LINTS,
} as const satisfies { readonly [name: string]: LintMeaning }

interface Settings {
  readonly brokers: string
  readonly key?: string
  readonly properties: Properties
}

type Connected = Extract<Reached, { client: Producer }>

/**
 * Asks the cluster whether records could be written, read back and acknowledged. Reachability, logins, topics and the
 * group are asked with librdkafka, as the sink does; settings of topics and rights, which node-rdkafka does not pass on, over
 * a connection of our own with the same properties.
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
      yield { kind: 'unchecked', message: 'Topics and the consumer group: no broker could be reached.' }
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
    yield* sourceFindings({ visible, ...own }, { ...context, cluster: settings })
    const group = `headgate.${pipeline}`
    const { inbox, isShared } = context
    if (inbox !== undefined)
      yield* inboxFindings({ visible, ...own }, { ...context, inbox, group, cluster: settings })
    else if (isShared) yield* transactionFindings(own.transactions, own.why, `${at}/brokers`, group, settings)
    const asked = { config, broker: first.address, visible, described: own.described }
    const terms = { ...context, cluster: settings }
    for (const each of isShared ? groupsOf(group) : [group])
      yield* await groupFindings(asked, terms, each, `The position of consumer group "${each}" can be read.`)
    if (!isShared) yield* await instancesFindings(asked, terms, instancesGroup(group))
    yield* await formerTopicsFindings(asked, settings.brokers, { ...context, group })
  } finally {
    await Promise.all(connected.map(({ client }) => release(client)))
  }
}

/** Milliseconds. Addresses, the advertised addresses of brokers, and topics are asked one after the other. */
const oneOfThree = ({ timeout }: ProbeContext): number => Math.ceil(timeout / 3)

function addressFinding(reached: Reached, of: number, properties: Properties, at: string): Probed {
  const where = format(reached.address)
  if ('client' in reached) return { kind: 'checked', message: `Kafka responds at ${where}.` }
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

/** Clients talk to brokers at their advertised addresses, which may be known inside their own network only. */
async function advertisedFindings({ brokers }: Metadata, context: ProbeContext) {
  const { at, signal } = context
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(oneOfThree(context))])
  const looked = brokers.map(async ({ id, host, port }): Promise<Probed[]> => {
    try {
      await reach({ host, port }, deadline)
      return []
    } catch (error) {
      const message = `Broker ${id} advertises ${format({ host, port })}, which cannot be reached: ${socketReason(error)}.`
      const suggestion = 'Correct advertised.listeners of the broker, or the network from here to there.'
      return [{ kind: 'error', at: `${at}/brokers`, code: 'HG_KAFKA_UNAVAILABLE', message, suggestion }]
    }
  })
  return (await Promise.all(looked)).flat()
}

/** Facts that node-rdkafka does not pass on. */
interface Own extends Omit<ClusterTopics, 'visible'> {
  /** Undefined if instances do not share the work of the pipeline, and if the broker could not be asked that way. */
  readonly transactions: TransactionSupport | undefined
}

async function askByOurselves(
  config: ClientConfig,
  { address }: Connected,
  { signal, isShared, pipeline, ...context }: ProbeContext,
): Promise<Own> {
  const login = connectionSettings(config)
  if (typeof login === 'string') {
    const why = `only librdkafka can connect here (${login}), and it does not hand that on`
    return { described: undefined, settings: undefined, transactions: undefined, why }
  }
  const topics = topicsOf(context)
  let connection: Connection | undefined
  let described: Own['described']
  let transactions: Own['transactions']
  try {
    connection = await openConnection(address, login, signal)
    if (isShared)
      transactions = await describeTransactions(connection, transactionalIdPrefix(`headgate.${pipeline}`))
    const read = context.sources.map(({ topic }) => topic)
    const found = await describeTopics(connection, [...topics, ...read, OFFSETS_TOPIC])
    described = new Map(found.map((topic) => [topic.name, topic]))
    const existing = topics.filter((topic) => described?.get(topic)?.state === 'exists')
    const settings = await describeConfigs(connection, existing, [
      ...new Set([...SETTINGS, ...INBOX_SETTINGS]),
    ])
    return { described, settings, transactions, why: '' }
  } catch (error) {
    return { described, settings: undefined, transactions, why: socketReason(error) }
  } finally {
    connection?.close()
  }
}
