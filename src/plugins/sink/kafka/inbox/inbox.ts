import { randomUUID } from 'node:crypto'
import type { Inbox, Receipt, SinkRecord, Target } from '../../../../contract/index.js'
import { partitionOf } from '../../../../lib/murmur2.js'
import type { ClientSettings } from '../client-settings.js'
import type { TopicPartition } from '../log/consumer.js'
import type { ClientLogLine } from '../producer/producer.js'
import { type ClientConfig, memberConfig, transactionalConfig } from '../properties.js'
import { GroupConsumer } from './group-consumer.js'
import { leftAt, reuse } from './left-inbox.js'
import { KafkaInboxMember, type MemberOptions } from './member.js'
import { acknowledgedGroup, partitionsInUse } from './partitions-in-use.js'
import { errorOf, groupNotAllowed, groupsOf, isGroupRefused, transactionalIdPrefix } from './requirements.js'
import { TransactionalProducer } from './transactional-producer.js'

export interface KafkaInboxOptions extends MemberOptions {
  readonly config: ClientConfig
  /** For commands to paste. */
  readonly cluster: ClientSettings
  clientLog(line: ClientLogLine): void
  /** That of the sink. */
  send(record: SinkRecord): Promise<Receipt>
}

const NO_KEY = Buffer.alloc(0)

/** The inbox of a pipeline. The number of its partitions is asked for once: it never changes. */
export class KafkaInbox implements Inbox {
  readonly #options: KafkaInboxOptions
  /** One for each partition in use; undefined until their number is known. */
  #targets: readonly Target[] | undefined
  #asking: Promise<readonly Target[]> | undefined

  constructor(options: KafkaInboxOptions) {
    this.#options = options
  }

  /** `partitioner` of the producer is the user's, and librdkafka would apply it to the present number of partitions. */
  send(record: SinkRecord): Promise<Receipt> {
    const targets = this.#targets
    return targets === undefined
      ? this.#partitions().then((found) => this.#sendTo(found, record))
      : this.#sendTo(targets, record)
  }

  async status(): Promise<'begun' | 'others' | 'new'> {
    const { group, reader } = this.#options
    await this.#requireGroups()
    const all = await this.#all()
    const [left, acknowledged, workedOff] = await Promise.all([
      leftAt(reader.groups, group, all),
      reader.groups.committed(acknowledgedGroup(group), all),
      reader.groups.committed(group, all),
    ])
    const hasBegun = all.some((_, at) => {
      const position = workedOff[at]?.offset ?? acknowledged[at]?.offset
      return position !== undefined && position !== left[at]
    })
    if (hasBegun) return 'begun'
    return (await reader.groups.countInstances(`${group}.instances`)) > 0 ? 'others' : 'new'
  }

  async reuse(): Promise<void> {
    const { group, reader } = this.#options
    await reuse(reader.groups, group, await this.#all())
  }

  async join(): Promise<KafkaInboxMember> {
    const { config, topic, group, clientLog } = this.#options
    const transactional = transactionalConfig(config, `${transactionalIdPrefix(group)}${randomUUID()}`)
    const open = () => TransactionalProducer.open(transactional, this.#options)
    const join = () => GroupConsumer.join(memberConfig(config, group), topic, clientLog)
    await this.#requireGroups()
    const producer = await open()
    try {
      const { length } = await this.#partitions()
      return new KafkaInboxMember(this.#options, { open, join }, length, producer, await join())
    } catch (error) {
      await producer.close()
      throw error
    }
  }

  /** Partitions of the topic, whether they are used or not. */
  async #all(): Promise<TopicPartition[]> {
    const { topic, reader } = this.#options
    const count = await reader.requests.use((consumer) => consumer.partitions(topic))
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  }

  /** A group that these credentials may not use would refuse them at the first poll only. */
  async #requireGroups(): Promise<void> {
    const { topic, group, reader, cluster } = this.#options
    for (const each of groupsOf(group))
      try {
        await reader.groups.committed(each, [{ topic, partition: 0 }])
      } catch (thrown) {
        throw isGroupRefused(thrown) ? errorOf(groupNotAllowed(cluster, each), thrown) : thrown
      }
  }

  #sendTo(targets: readonly Target[], { key, value, headers }: SinkRecord): Promise<Receipt> {
    const target = targets[partitionOf(key ?? NO_KEY, targets.length)] as Target
    return this.#options.send({ target, key, value, headers })
  }

  #partitions(): Promise<readonly Target[]> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(): Promise<readonly Target[]> {
    if (this.#targets !== undefined) return this.#targets
    const { topic } = this.#options
    const count = await partitionsInUse(this.#options)
    this.#targets = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    return this.#targets
  }
}
