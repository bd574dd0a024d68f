import { setTimeout as wait } from 'node:timers/promises'
import { HeadgateError } from '../contract/errors.js'
import type { Log, LogPartition, RecordLog } from '../contract/index.js'
import type { LogMark } from './log-tables.js'
import { HEADER } from './record-headers.js'
import type { LedgerStore } from './store.js'

/** Milliseconds between two looks at an end that is too low: a former leader may have reported it. */
const LOOK_AGAIN = 500
const LOOKS = 3

type Partitions = readonly LogPartition[]

/** The identity of an event by its digest and id. */
type IdentityOf = (digest: string, id: string) => string

/**
 * Whether the log is another one than the index describes: a topic can be deleted and created again, the brokers' address
 * can lead to another cluster, and a partition can lose its end. Rejects if the log does not respond.
 */
export async function isReplaced(log: RecordLog, store: LedgerStore): Promise<boolean> {
  const topics = store.marks.topics()
  const identities = await log.identify?.(topics)
  if (otherTopic(topics, identities, store) !== undefined) return true
  if (identities === undefined || topics.some((topic) => store.marks.identityOf(topic) === undefined))
    return (await log.partitions(store.acknowledgedUpTo())).some((at) => isBehind(at, store))
  // A topic that is no longer a target of the config is gone for good.
  return topics.some((topic) => !identities.has(topic))
}

/** Drops the events of each partition whose log was replaced, and logs the reason. Returns the number of partitions. */
export async function forgetReplaced(
  log: RecordLog,
  partitions: Partitions,
  { store, logger, identityOf }: { store: LedgerStore; logger: Log; identityOf: IdentityOf },
): Promise<number> {
  const topics = topicsOf(partitions)
  const identities = await log.identify?.([...topics, ...store.marks.topics()])
  let count = 0
  const forget = (topic: string, numbers: readonly number[], reason: string): void => {
    forgetPartitions(topic, numbers, reason, store, logger)
    count += numbers.length
  }
  for (const topic of store.marks.topics()) {
    const numbers = store.marks.partitions(topic)
    if (otherTopic([topic], identities, store) !== undefined)
      forget(topic, numbers, 'it is another topic of the same name')
    else if (identities?.has(topic) === false) forget(topic, numbers, 'the topic does not exist any more')
  }
  for (const { topic, partition, end } of await stillBehind(log, partitions, store))
    forget(topic, [partition], `it ends at offset ${end}, and had records behind that`)
  const unsure = partitions.filter(
    ({ topic }) => !identities?.has(topic) || store.marks.identityOf(topic) === undefined,
  )
  for (const { topic, partition } of await withOtherRecord(log, unsure, store, identityOf))
    forget(topic, [partition], 'it has another record at the offset of one of ours')
  // After the partitions: a process that crashes in between finds the difference again.
  for (const topic of topics) setIdentity(topic, identities, store)
  return count
}

/** Drops the events of these partitions. Their acknowledgements stay pending: their senders were told 2xx. */
export function forgetPartitions(
  topic: string,
  partitions: readonly number[],
  reason: string,
  store: LedgerStore,
  logger: Log,
): void {
  for (const partition of partitions) store.marks.forget(topic, partition)
  logger.warn(
    { topic, partitions, reason },
    'the log has been replaced: its events are forgotten, and redeliveries of them are written again',
  )
}

/** Stores the identities of topics that had none. */
export async function adoptTopics(log: RecordLog, partitions: Partitions, store: LedgerStore): Promise<void> {
  const topics = topicsOf(partitions).filter((topic) => store.marks.identityOf(topic) === undefined)
  if (topics.length === 0) return
  const identities = await log.identify?.(topics)
  for (const topic of topics) setIdentity(topic, identities, store)
}

/** Rejects if one of the topics was replaced since its identity was stored: the records may have come from two logs. */
export async function requireUnreplaced(
  log: RecordLog,
  partitions: Partitions,
  store: LedgerStore,
): Promise<void> {
  const topics = topicsOf(partitions)
  const other = otherTopic(topics, await log.identify?.(topics), store)
  if (other === undefined) return
  throw new HeadgateError('HG_LEDGER_NOT_READY', `Topic "${other}" was replaced while it was being read.`)
}

/**
 * Rejects with HG_RELOAD_RESTART for a log of another cluster, one that ends before a checkpoint: its records would be mixed
 * up with those of the state that have the same offsets.
 */
export async function requireSameLog(log: RecordLog, store: LedgerStore): Promise<void> {
  const name = ({ topic, partition }: LogPartition) => `partition ${partition} of topic "${topic}"`
  const behind = (await log.partitions()).flatMap((at) => {
    const checkpoint = store.checkpoint(at.topic, at.partition) ?? 0
    return checkpoint > at.end ? [{ name: name(at), checkpoint }] : []
  })
  const topics = store.marks.topics()
  const other = otherTopic(topics, await log.identify?.(topics), store)
  if (other !== undefined)
    throw new HeadgateError('HG_RELOAD_RESTART', `The sink has another topic "${other}" than before.`)
  if (behind.length === 0) return
  // The checkpoint grows meanwhile: only an end that is before it a second time is that of another log.
  const ends = new Map((await log.partitions()).map((at) => [name(at), at.end]))
  const short = behind.find((at) => (ends.get(at.name) ?? 0) < at.checkpoint)
  if (short === undefined) return
  throw new HeadgateError(
    'HG_RELOAD_RESTART',
    `The sink has another log: ${short.name} ends at offset ${ends.get(short.name)}, before the checkpoint ${short.checkpoint} of the ledger.`,
  )
}

/** The first of these topics whose identity has changed. */
function otherTopic(
  topics: readonly string[],
  identities: ReadonlyMap<string, string> | undefined,
  store: LedgerStore,
): string | undefined {
  return topics.find((topic) => {
    const before = store.marks.identityOf(topic)
    const now = identities?.get(topic)
    return before !== undefined && now !== undefined && before !== now
  })
}

const topicsOf = (partitions: Partitions): string[] => [...new Set(partitions.map(({ topic }) => topic))]

function setIdentity(
  topic: string,
  identities: ReadonlyMap<string, string> | undefined,
  store: LedgerStore,
): void {
  const identity = identities?.get(topic)
  if (identity !== undefined && identity !== store.marks.identityOf(topic))
    store.marks.setIdentity(topic, identity)
}

const isBehind = ({ topic, partition, end }: LogPartition, store: LedgerStore): boolean =>
  end < (store.checkpoint(topic, partition) ?? 0)

const isSame = (one: LogPartition, other: LogPartition): boolean =>
  one.topic === other.topic && one.partition === other.partition

async function stillBehind(log: RecordLog, partitions: Partitions, store: LedgerStore): Promise<Partitions> {
  let behind = partitions.filter((at) => isBehind(at, store))
  for (let look = 1; look < LOOKS && behind.length > 0; look++) {
    await wait(LOOK_AGAIN)
    const now = await log.partitions(behind)
    behind = now.filter((at) => isBehind(at, store) && behind.some((before) => isSame(before, at)))
  }
  return behind
}

/** Ends a read once every record that was looked for has come. */
const ALL_SEEN = new Error('every record that was looked for has been read')

/**
 * The partitions that have another record at an offset where one of ours was. A record that is gone, by retention or by
 * compaction, proves nothing.
 */
async function withOtherRecord(
  log: RecordLog,
  partitions: Partitions,
  store: LedgerStore,
  identityOf: IdentityOf,
): Promise<LogPartition[]> {
  const marked = new Map<string, { readonly at: LogPartition; readonly mark: LogMark }>()
  const nameOf = ({ topic, partition }: Pick<LogPartition, 'topic' | 'partition'>) => `${topic} ${partition}`
  for (const at of partitions) {
    const mark = store.marks.markOf(at)
    if (mark !== undefined && mark.offset >= at.start && mark.offset < at.end)
      marked.set(nameOf(at), { at, mark })
  }
  const other: LogPartition[] = []
  if (marked.size === 0) return other
  const positions = [...marked.values()].map(({ at, mark }) => ({
    topic: at.topic,
    partition: at.partition,
    offset: mark.offset,
  }))
  try {
    await log.read(positions, (record) => {
      const found = marked.get(nameOf(record))
      if (found === undefined) return
      marked.delete(nameOf(record))
      const { at, mark } = found
      const [id, digest] = [record.header(HEADER.id), record.header(HEADER.digest)]
      const isOurs = id !== undefined && digest !== undefined && identityOf(digest, id) === mark.identity
      if (record.offset === mark.offset && !isOurs) other.push(at)
      if (marked.size === 0) throw ALL_SEEN
    })
  } catch (thrown) {
    if (thrown !== ALL_SEEN) throw thrown
  }
  return other
}
