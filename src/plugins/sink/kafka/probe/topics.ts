import { distance } from 'fastest-levenshtein'
import type { TopicMetadata } from 'node-rdkafka'
import type { ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import type { ClientSettings } from '../client-settings.js'
import { codecRemedy } from '../failures.js'
import type { DescribedTopic, TopicSettings } from '../protocol/describe.js'
import { RECORD_OVERHEAD } from '../record.js'
import { addPartitionsCommand, allowCommand } from '../topic-admin.js'

/** The topics of a cluster, as far as it describes them. */
export interface ClusterTopics {
  /** Those that the user may see. */
  readonly visible: readonly TopicMetadata[]
  /** The targets' topics; undefined if the broker could not be asked that way, for the reason `why`. */
  readonly described: ReadonlyMap<string, DescribedTopic> | undefined
  readonly settings: ReadonlyMap<string, TopicSettings> | undefined
  readonly why: string
}

export type Terms = Pick<ProbeContext, 'targets' | 'maxBody' | 'redeliveryWindow' | 'inbox'> & {
  /** Whether records have keys. */
  readonly keyed: boolean
  /** Bytes that the sink puts into a batch. */
  readonly batchSize: number
  /** For commands to paste. */
  readonly cluster: ClientSettings
  /** Codecs that the client was built without. */
  readonly missingCodecs: readonly string[]
}

type Placed = ProbeContext['targets'][number]

/** The settings of a topic that matter here. */
export const SETTINGS = [
  'min.insync.replicas',
  'max.message.bytes',
  'cleanup.policy',
  'retention.ms',
  'compression.type',
] as const

/** All findings about the targets' topics: each is examined once, and reported at the first line that names it. */
export function* topicFindings(cluster: ClusterTopics, terms: Terms): Generator<Probed> {
  for (const topic of topicsOf(terms)) {
    const placed = terms.targets.filter(({ target }) => target.topic === topic)
    const metadata = cluster.visible.find(({ name }) => name === topic)
    const described = cluster.described?.get(topic)
    if (metadata === undefined || metadata.partitions.length === 0) {
      for (const one of placed) yield missing(one, described, cluster.visible, terms)
      continue
    }
    const settings = cluster.settings?.get(topic) ?? cluster.why
    const found = [
      ...partitionFindings(metadata, placed, terms),
      ...rightFindings(topic, placed, described, terms),
      ...copyFindings(metadata, placed, settings),
      ...settingFindings(topic, placed, settings, terms),
    ]
    yield* found
    if (!found.some(({ kind }) => kind === 'error')) yield checkedTopic(metadata, settings)
    if (typeof settings === 'string') {
      const message = `Topic "${topic}": ${SETTINGS.join(', ')} could not be read: ${settings}.`
      yield { kind: 'unchecked', message }
    }
    if (described?.rights === undefined) {
      const message = `Topic "${topic}": the cluster does not report whether the user may read and write it${
        cluster.described === undefined ? `: ${cluster.why}` : ''
      }.`
      yield { kind: 'unchecked', message }
    }
  }
}

export const topicsOf = ({ targets }: Pick<Terms, 'targets'>): string[] => [
  ...new Set(targets.map(({ target }) => target.topic)),
]

const at = ({ at }: Placed): string => child(at, 'topic')
const first = (placed: readonly Placed[]): string => placed.map(at)[0] ?? ''

function missing(
  placed: Placed,
  described: DescribedTopic | undefined,
  visible: readonly TopicMetadata[],
  { cluster }: Terms,
): Probed {
  const { topic } = placed.target
  if (described?.state === 'hidden') {
    const message = `The user may not see topic "${topic}", if it exists.`
    return {
      kind: 'error',
      at: at(placed),
      code: 'HG_KAFKA_NOT_ALLOWED',
      message,
      suggestion: allow(cluster, NEEDED, topic),
    }
  }
  const message = `Topic "${topic}" does not exist${described === undefined ? ', or the user may not see it' : ''}.`
  const similar = nearest(topic, visible)
  return {
    kind: 'error',
    at: at(placed),
    code: 'HG_KAFKA_TOPIC_MISSING',
    message,
    suggestion: `${similar === undefined ? '' : `Did you mean "${similar}"? If not: `}"headgate topics --create" creates it.`,
  }
}

export function nearest(topic: string, visible: readonly TopicMetadata[]): string | undefined {
  const far = (name: string) => distance(topic.toLowerCase(), name.toLowerCase())
  const [best] = visible
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('__'))
    .sort((a, b) => far(a) - far(b))
  return best !== undefined && far(best) <= Math.max(2, Math.floor(topic.length / 3)) ? best : undefined
}

function* partitionFindings(
  { name, partitions }: TopicMetadata,
  placed: readonly Placed[],
  { cluster, targets }: Terms,
): Generator<Probed> {
  const byKey = targets.some(({ target }) => target.topic === name && target.partition === undefined)
  const count = partitions.length
  for (const one of placed) {
    const { partition } = one.target
    if (partition === undefined || partition < count) continue
    const has = count === 1 ? 'it has one partition, 0' : `its ${count} partitions are 0 to ${count - 1}`
    const message = `Topic "${name}" has no partition ${partition}: ${has}.`
    const suggestion = byKey
      ? `Correct the number. Or add partitions, if keys may move to other ones: ${addPartitionsCommand(cluster, name, partition + 1)}`
      : 'Correct the number, or add partitions: "headgate topics --create" does so.'
    yield {
      kind: 'error',
      at: child(one.at, 'partition'),
      code: 'HG_KAFKA_PARTITION_MISSING',
      message,
      suggestion,
    }
  }
}

const NEEDED = ['Read', 'Write', 'Describe'] as const

function* rightFindings(
  topic: string,
  placed: readonly Placed[],
  described: DescribedTopic | undefined,
  { cluster }: Terms,
): Generator<Probed> {
  const lacking = NEEDED.filter((right) => described?.rights?.has(right) === false)
  if (lacking.length === 0) return
  const message = `The user lacks the right ${lacking.join(' and ')} on topic "${topic}".`
  yield {
    kind: 'error',
    at: first(placed),
    code: 'HG_KAFKA_NOT_ALLOWED',
    message,
    suggestion: allow(cluster, lacking, topic),
  }
}

export const allow = (cluster: ClientSettings, operations: readonly string[], topic: string): string =>
  `An administrator can allow it: ${allowCommand(cluster, operations, '--topic', topic)}`

/** The partitions that records can go to. */
const usedOf = ({ partitions }: TopicMetadata, placed: readonly Placed[]) =>
  placed.some(({ target }) => target.partition === undefined)
    ? partitions
    : partitions.filter(({ id }) => placed.some(({ target }) => target.partition === id))

function* copyFindings(
  topic: TopicMetadata,
  placed: readonly Placed[],
  settings: TopicSettings,
): Generator<Probed> {
  const location = { at: first(placed) }
  const needed = numberOf(settings, 'min.insync.replicas')
  for (const { id, leader, replicas, isrs } of usedOf(topic, placed)) {
    const partition = `Partition ${id} of topic "${topic.name}"`
    const unavailable = (message: string): Probed => ({
      kind: 'error',
      ...location,
      code: 'HG_KAFKA_UNAVAILABLE',
      message,
    })
    if (leader < 0) yield unavailable(`${partition} has no leader.`)
    else if (needed !== undefined && needed > replicas.length)
      yield unavailable(
        `${partition} can never take a record: it has ${counted(replicas.length)}, and min.insync.replicas is ${needed}.`,
      )
    else if (needed !== undefined && isrs.length < needed)
      yield unavailable(
        `${partition} accepts no records now: ${isrs.length} of its ${counted(replicas.length)} are in sync, and min.insync.replicas is ${needed}.`,
      )
  }
  const fewest = Math.min(...topic.partitions.map(({ replicas }) => replicas.length))
  const one =
    fewest === 1
      ? 'it has one replica'
      : needed === 1
        ? `of ${fewest} replicas, one in sync is enough (min.insync.replicas is 1)`
        : undefined
  if (one === undefined) return
  yield {
    kind: 'warning',
    ...location,
    name: 'one-copy',
    message: `A record in topic "${topic.name}" is confirmed as soon as one broker has it: ${one}.`,
    suggestion: 'Give the topic 3 replicas and min.insync.replicas=2.',
  }
}

const counted = (replicas: number): string => (replicas === 1 ? 'one replica' : `${replicas} replicas`)

function* settingFindings(
  topic: string,
  placed: readonly Placed[],
  settings: TopicSettings,
  { maxBody, redeliveryWindow, inbox, keyed, batchSize, missingCodecs }: Terms,
): Generator<Probed> {
  if (typeof settings === 'string') return
  const location = { kind: 'warning', at: first(placed) } as const
  const limit = numberOf(settings, 'max.message.bytes')
  if (limit !== undefined && maxBody !== undefined && limit < maxBody + RECORD_OVERHEAD) {
    const message = `Topic "${topic}" takes records of up to ${limit} bytes (max.message.bytes), the source bodies of up to ${maxBody} (maxBody), and key and headers may need ${RECORD_OVERHEAD} more: Kafka rejects a larger record, and the sender gets status 413.`
    const suggestion = `Raise max.message.bytes of the topic to ${maxBody + RECORD_OVERHEAD} or more, or lower \`maxBody\`.`
    yield { ...location, name: 'body-beyond-topic', message, suggestion }
  }
  if (limit !== undefined && limit < batchSize) {
    const message = `Topic "${topic}" takes batches of up to ${limit} bytes (max.message.bytes), the sink makes batches of up to ${batchSize} (batch.size): brokers reject those, and the sink sends their records again in smaller batches.`
    const suggestion = `Set "batch.size" in \`properties\` to less than ${limit}.`
    yield { ...location, name: 'batch-beyond-topic', message, suggestion }
  }
  const codec = settings.get('compression.type') ?? ''
  if (missingCodecs.includes(codec)) {
    const message = `Topic "${topic}" compresses its records with ${codec} (compression.type), and the Kafka client of this installation was built without it, so Headgate cannot read them back.`
    const suggestion = codecRemedy([codec])
    yield { kind: 'error', at: first(placed), code: 'HG_KAFKA_UNAVAILABLE', message, suggestion }
  }
  const isCompacted = settings.get('cleanup.policy')?.includes('compact') === true
  if (isCompacted && !keyed && topic !== inbox?.topic) {
    const message = `Topic "${topic}" is compacted and accepts no record without a key, but the sink has no \`key\`.`
    yield { kind: 'error', at: first(placed), code: 'HG_RECORD_REFUSED', message }
    return
  }
  // With an inbox, the ids of events are read back from there, and from no target.
  if (inbox !== undefined) return
  const kept = numberOf(settings, 'retention.ms')
  if (kept !== undefined && kept >= 0 && kept < redeliveryWindow && deletes(settings)) {
    const message = `Topic "${topic}" keeps records for ${kept} ms (retention.ms), but Headgate has to recognise redeliveries for ${redeliveryWindow} ms (redelivery.window).`
    const suggestion = 'Raise retention.ms, or lower `redelivery.window`.'
    yield { ...location, name: 'retention-below-window', message, suggestion }
  }
  if (!isCompacted) return
  const message = `Topic "${topic}" is compacted: it keeps only the newest record of each key, and loses the ids of the others, which Headgate needs to recognise redeliveries.`
  yield {
    ...location,
    name: 'topic-compacted',
    message,
    suggestion: 'Use a topic with cleanup.policy=delete.',
  }
}

const deletes = (settings: ReadonlyMap<string, string>): boolean =>
  settings.get('cleanup.policy')?.includes('delete') !== false

function numberOf(settings: TopicSettings, name: (typeof SETTINGS)[number]): number | undefined {
  const value = typeof settings === 'string' ? undefined : settings.get(name)
  return value === undefined || value === '' ? undefined : Number(value)
}

function checkedTopic({ name, partitions }: TopicMetadata, settings: TopicSettings): Probed {
  const replicas = Math.min(...partitions.map((partition) => partition.replicas.length))
  const read = typeof settings === 'string' ? [] : SETTINGS.map((key) => `${key}=${settings.get(key)}`)
  const facts = [
    `${partitions.length} partition${partitions.length === 1 ? '' : 's'}`,
    counted(replicas),
    ...read,
  ]
  return { kind: 'checked', message: `Topic "${name}" exists: ${facts.join(', ')}.` }
}
