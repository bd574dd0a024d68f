import { setTimeout as wait } from 'node:timers/promises'
import { HeadgateError } from '../contract/errors.js'
import type { Log, LogPartition, RecordLog } from '../contract/index.js'
import type { Mark } from './log-marks.js'
import { HEADER } from './record-headers.js'
import type { ReadBackOptions } from './recovery.js'
import type { PipelineState } from './store.js'

/** Milliseconds between two looks at an end that is too low: a leader of the past may have told it. */
const LOOK_AGAIN = 500
const LOOKS = 3

type Partitions = readonly LogPartition[]

/**
 * Whether the log still is the one that the index describes: a topic can be deleted and created again, the brokers' address
 * can lead to another cluster, and a partition can lose its end. Rejects while the log cannot be asked.
 */
export async function isReplaced(log: RecordLog, state: PipelineState): Promise<boolean> {
  const topics = state.log.topics()
  const identities = await log.identify?.(topics)
  if (otherTopic(topics, identities, state) !== undefined) return true
  if (identities === undefined || topics.some((topic) => state.log.identityOf(topic) === undefined))
    return (await log.partitions(state.acknowledgedUpTo())).some((at) => isBehind(at, state))
  // One that the config does not have among its targets any more is gone for good.
  return topics.some((topic) => !identities.has(topic))
}

/**
 * Forgets the events of each partition whose log has been replaced, and says in the log why. Returns how many partitions
 * that were.
 */
export async function forgetReplaced(
  log: RecordLog,
  partitions: Partitions,
  { state, logger, identityOf }: Pick<ReadBackOptions, 'state' | 'logger' | 'identityOf'>,
): Promise<number> {
  const topics = topicsOf(partitions)
  const identities = await log.identify?.([...topics, ...state.log.topics()])
  let count = 0
  const forget = (topic: string, numbers: readonly number[], reason: string): void => {
    forgetPartitions(topic, numbers, reason, state, logger)
    count += numbers.length
  }
  for (const topic of state.log.topics()) {
    const known = state.log.partitions(topic)
    if (otherTopic([topic], identities, state) !== undefined)
      forget(topic, known, 'it is another topic of the same name')
    else if (identities?.has(topic) === false) forget(topic, known, 'the topic does not exist any more')
  }
  for (const { topic, partition, end } of await stillBehind(log, partitions, state))
    forget(topic, [partition], `it ends at offset ${end}, and there were records behind that`)
  const unsure = partitions.filter(
    ({ topic }) => !identities?.has(topic) || state.log.identityOf(topic) === undefined,
  )
  for (const { topic, partition } of await withOtherRecord(log, unsure, state, identityOf))
    forget(topic, [partition], 'there is another record where one of ours was')
  // After the partitions: a process that ends in between finds the difference again.
  for (const topic of topics) setIdentity(topic, identities, state)
  return count
}

/** Forgets the events of these partitions. What is owed for them stays owed: they were durable when it was said so. */
export function forgetPartitions(
  topic: string,
  partitions: readonly number[],
  reason: string,
  state: PipelineState,
  logger: Log,
): void {
  for (const partition of partitions) state.log.forget(topic, partition)
  logger.warn(
    { topic, partitions, reason },
    'the log has been replaced: its events are forgotten, and redeliveries of them are written again',
  )
}

/** Takes note of the identities of topics that were not known before. */
export async function adoptTopics(
  log: RecordLog,
  partitions: Partitions,
  state: PipelineState,
): Promise<void> {
  const topics = topicsOf(partitions).filter((topic) => state.log.identityOf(topic) === undefined)
  if (topics.length === 0) return
  const identities = await log.identify?.(topics)
  for (const topic of topics) setIdentity(topic, identities, state)
}

/** Rejects when one of the topics has been replaced since its identity was noted: what was read may be of two logs. */
export async function requireUnreplaced(
  log: RecordLog,
  partitions: Partitions,
  state: PipelineState,
): Promise<void> {
  const topics = topicsOf(partitions)
  const other = otherTopic(topics, await log.identify?.(topics), state)
  if (other === undefined) return
  throw new HeadgateError('HG_LEDGER_NOT_READY', `Topic "${other}" was replaced while it was being read.`)
}

/** The first of these topics that is another one than it was. */
export function otherTopic(
  topics: readonly string[],
  identities: ReadonlyMap<string, string> | undefined,
  state: PipelineState,
): string | undefined {
  return topics.find((topic) => {
    const before = state.log.identityOf(topic)
    const now = identities?.get(topic)
    return before !== undefined && now !== undefined && before !== now
  })
}

const topicsOf = (partitions: Partitions): string[] => [...new Set(partitions.map(({ topic }) => topic))]

function setIdentity(
  topic: string,
  identities: ReadonlyMap<string, string> | undefined,
  state: PipelineState,
): void {
  const identity = identities?.get(topic)
  if (identity !== undefined && identity !== state.log.identityOf(topic))
    state.log.setIdentity(topic, identity)
}

const isBehind = ({ topic, partition, end }: LogPartition, state: PipelineState): boolean =>
  end < (state.checkpoint(topic, partition) ?? 0)

const isSame = (one: LogPartition, other: LogPartition): boolean =>
  one.topic === other.topic && one.partition === other.partition

async function stillBehind(
  log: RecordLog,
  partitions: Partitions,
  state: PipelineState,
): Promise<Partitions> {
  let behind = partitions.filter((at) => isBehind(at, state))
  for (let look = 1; look < LOOKS && behind.length > 0; look++) {
    await wait(LOOK_AGAIN)
    const now = await log.partitions(behind)
    behind = now.filter((at) => isBehind(at, state) && behind.some((before) => isSame(before, at)))
  }
  return behind
}

const SEEN = new Error('all that was looked for has been seen')

/**
 * Those with another record at an offset where one of ours was. A record that is gone, by its age or by compaction, says
 * nothing.
 */
async function withOtherRecord(
  log: RecordLog,
  partitions: Partitions,
  state: PipelineState,
  identityOf: ReadBackOptions['identityOf'],
): Promise<LogPartition[]> {
  const looked = new Map<string, { readonly at: LogPartition; readonly mark: Mark }>()
  const place = ({ topic, partition }: Pick<LogPartition, 'topic' | 'partition'>) => `${topic} ${partition}`
  for (const at of partitions) {
    const mark = state.log.of(at)
    if (mark !== undefined && mark.offset >= at.start && mark.offset < at.end)
      looked.set(place(at), { at, mark })
  }
  const other: LogPartition[] = []
  if (looked.size === 0) return other
  const positions = [...looked.values()].map(({ at, mark }) => ({
    topic: at.topic,
    partition: at.partition,
    offset: mark.offset,
  }))
  try {
    await log.read(positions, (record) => {
      const found = looked.get(place(record))
      if (found === undefined) return
      looked.delete(place(record))
      const { at, mark } = found
      const [id, digest] = [record.header(HEADER.id), record.header(HEADER.digest)]
      const isOurs = id !== undefined && digest !== undefined && identityOf(digest, id) === mark.identity
      if (record.offset === mark.offset && !isOurs) other.push(at)
      if (looked.size === 0) throw SEEN
    })
  } catch (thrown) {
    if (thrown !== SEEN) throw thrown
  }
  return other
}
