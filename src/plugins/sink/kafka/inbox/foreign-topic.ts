import { randomUUID } from 'node:crypto'
import rdkafka from 'node-rdkafka'
import type { ForeignTopics, Inbox } from '../../../../contract/index.js'
import type { ClientSettings } from '../client-settings.js'
import { END, type TopicPartition } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'
import type { ClientLogLine } from '../producer/producer.js'
import { type ClientConfig, memberConfig, transactionalConfig } from '../properties.js'
import { GroupConsumer } from './group-consumer.js'
import { KafkaInboxMember, type MemberOptions } from './member.js'
import { acknowledgedGroup } from './partitions-in-use.js'
import { transactionalIdPrefix } from './requirements.js'
import { TransactionalProducer } from './transactional-producer.js'

export interface ForeignTopicOptions extends Omit<MemberOptions, 'grows'> {
  readonly config: ClientConfig
  /** For commands to paste. */
  readonly cluster: ClientSettings
  readonly foreign: ForeignTopics
  clientLog(line: ClientLogLine): void
}

/** A topic of another program: nobody writes to it here, and it may get more partitions. */
export const foreignTopic = (options: ForeignTopicOptions): Pick<Inbox, 'join'> => ({
  async join() {
    const { config, topic, group, foreign, reader, clientLog } = options
    const transactional = transactionalConfig(config, `${transactionalIdPrefix(group)}${randomUUID()}`)
    const open = () => TransactionalProducer.open(transactional, options)
    const join = () => GroupConsumer.join(memberConfig(config, group), topic, clientLog)
    const producer = await open()
    try {
      await beginAt(foreign, group, reader)
      const count = await reader.requests.use((consumer) => consumer.partitions(topic))
      return new KafkaInboxMember(
        { ...options, grows: true },
        { open, join },
        Math.max(1, count),
        producer,
        await join(),
      )
    } catch (error) {
      await producer.close()
      throw error
    }
  },
})

/**
 * Commits where the topics of a source begin, before the first instance joins the group: later, an instance could not tell
 * whether a partition was never read. A partition that a topic gets later begins with its first record.
 */
async function beginAt(
  { start, topics }: ForeignTopics,
  group: string,
  { requests, groups }: Pick<LogReader, 'requests' | 'groups'>,
): Promise<void> {
  if (start === 'earliest') return
  const partitions = await requests.use(async (consumer): Promise<TopicPartition[]> => {
    const counts = await Promise.all(topics.map((topic) => consumer.partitions(topic)))
    return topics.flatMap((topic, at) =>
      Array.from({ length: counts[at] ?? 0 }, (_, partition) => ({ topic, partition })),
    )
  })
  const committed = await groups.committed(group, partitions)
  if (committed.some(({ offset }) => offset !== undefined)) return
  const positions = await requests.use(async (consumer) => {
    const ends = await consumer.offsets(partitions, END)
    if (start === 'latest') return ends
    const found = await consumer.offsets(partitions, start)
    return found.map((position, at) => (position.offset < 0 ? (ends[at] ?? position) : position))
  })
  try {
    await groups.commit(group, positions)
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: unknown } }
    // Another instance is in the group already, and has done the same.
    if (cause?.code === rdkafka.CODES.ERRORS.ERR_UNKNOWN_MEMBER_ID) return
    throw error
  }
  // Otherwise all records before would wait for their acknowledgement.
  await groups.commit(acknowledgedGroup(group), positions)
}
