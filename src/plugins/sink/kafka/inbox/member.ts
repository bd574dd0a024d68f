import type { LibrdKafkaError } from 'node-rdkafka'
import rdkafka from 'node-rdkafka'
import { asHeadgateError } from '../../../../contract/errors.js'
import type {
  InboxBounds,
  InboxGroup,
  InboxMember,
  InboxOffsets,
  InboxPoll,
  Log,
  LoggedRecord,
  SinkRecord,
  TransactionResult,
} from '../../../../contract/index.js'
import { type Backoff, backoffDelay, sleep } from '../../../../lib/async.js'
import { logFailed, logUnavailable } from '../failures.js'
import { type Consumer, END, START } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'
import { ReadRecord, readRanges } from '../log/read.js'
import type { TopicFacts } from '../topic-facts.js'
import type { GroupConsumer } from './group-consumer.js'
import { acknowledgedGroup, warnOfUnused } from './partitions-in-use.js'
import { inboxProgress } from './progress.js'
import type { TransactionalProducer } from './transactional-producer.js'

const { ERRORS } = rdkafka.CODES

export interface MemberOptions {
  readonly topic: string
  readonly group: string
  /** Partitions by which the topic grows are used, too. */
  readonly grows?: boolean
  readonly reader: LogReader
  readonly topicFacts: Pick<TopicFacts, 'settings'>
  readonly log: Log
  /** Aborted when the shutdown no longer waits for anything. */
  readonly signal: AbortSignal
}

/** Milliseconds between attempts to replace a producer or to learn the outcome of a transaction. */
const BACKOFF: Backoff = { initial: 100, max: 5000 }

interface Clients {
  open(): Promise<TransactionalProducer>
  join(): Promise<GroupConsumer>
}

/**
 * A member of the group of an inbox: a consumer in the group and a transactional producer. The consumer is the fence: a
 * transaction names the generation in which it has its partitions (KIP-447), and the producer's own id is that of the process.
 */
export class KafkaInboxMember implements InboxMember {
  readonly partitions: number
  readonly #options: MemberOptions
  readonly #clients: Clients
  readonly #left = new AbortController()
  readonly #signal: AbortSignal
  #producer: TransactionalProducer | undefined
  #consumer: GroupConsumer | undefined
  /** Partitions of a consumer that has ended, until a poll says so. */
  #lost: readonly number[] = []
  #hasWarned = false

  constructor(
    options: MemberOptions,
    clients: Clients,
    partitions: number,
    producer: TransactionalProducer,
    consumer: GroupConsumer,
  ) {
    this.#options = options
    this.#clients = clients
    this.partitions = partitions
    this.#signal = AbortSignal.any([options.signal, this.#left.signal])
    this.#producer = producer
    this.#consumer = consumer
  }

  async poll(limit: number): Promise<InboxPoll> {
    const revoked = this.#lost
    if (revoked.length > 0) {
      this.#lost = []
      return { assigned: [], revoked: this.#used(revoked), records: [] }
    }
    this.#consumer ??= await this.#clients.join()
    try {
      const { messages, assigned, revoked } = await this.#consumer.poll(limit)
      return {
        assigned: this.#used(assigned),
        revoked: this.#used(revoked),
        records: messages.map((message) => new ReadRecord(message)),
      }
    } catch (error) {
      if (isFatal(error)) await this.#loseConsumer()
      throw logFailed(error)
    }
  }

  resume(partition: number): void {
    this.#consumer?.resume(partition)
  }

  pause(partition: number): void {
    this.#consumer?.pause(partition)
  }

  async bounds(partition: number): Promise<InboxBounds> {
    const { topic, group, reader } = this.#options
    const at = [{ topic, partition }]
    // First: it waits for the end of the transaction of an earlier owner.
    const committed = await this.#consumerOrFail().committed(partition)
    const [acknowledged] = await reader.groups.committed(acknowledgedGroup(group), at)
    return await this.#ask(async (consumer) => {
      const [[start], [end]] = await Promise.all([consumer.offsets(at, START), consumer.offsets(at, END)])
      return {
        start: start?.offset ?? 0,
        end: end?.offset ?? 0,
        committed: committed ?? start?.offset ?? 0,
        acknowledged: acknowledged?.offset,
      }
    })
  }

  end(partition: number): number | undefined {
    return this.#consumer?.end(partition)
  }

  ends(partitions: readonly number[]): Promise<InboxOffsets> {
    const { topic } = this.#options
    const all = partitions.map((partition) => ({ topic, partition }))
    return this.#ask(async (consumer) => {
      const ends = await consumer.offsets(all, END)
      return new Map(ends.map(({ partition, offset }) => [partition, offset]))
    })
  }

  async retention(): Promise<number | undefined> {
    const { topic, topicFacts } = this.#options
    const settings = await topicFacts.settings(topic, ['retention.ms'])
    const kept = Number(settings?.get('retention.ms') || -1)
    return kept >= 0 ? kept : undefined
  }

  offsetAt(partition: number, timestamp: number): Promise<number> {
    const at = [{ topic: this.#options.topic, partition }]
    return this.#ask(async (consumer) => {
      const [found] = await consumer.offsets(at, timestamp)
      const [end] = found === undefined || found.offset < 0 ? await consumer.offsets(at, END) : [found]
      return end?.offset ?? 0
    })
  }

  async read(
    partition: number,
    from: number,
    to: number,
    visit: (record: LoggedRecord) => void,
  ): Promise<void> {
    if (from >= to) return
    const { reader, topic, group } = this.#options
    await reader.read(async () => {
      const consumer = await reader.open(acknowledgedGroup(group), 'reading-committed')
      try {
        const visitBefore = (record: LoggedRecord) => {
          if (record.offset < to) visit(record)
        }
        await readRanges(consumer, [{ topic, partition, next: from, end: to }], visitBefore, this.#signal)
      } finally {
        await consumer.close()
      }
    })
  }

  async transaction(records: readonly SinkRecord[], offsets: InboxOffsets): Promise<TransactionResult> {
    const consumer = this.#consumer
    if (consumer === undefined) return { kind: 'fenced' }
    try {
      this.#producer ??= await this.#clients.open()
    } catch (thrown) {
      return { kind: 'unavailable', error: asHeadgateError(thrown, 'The Kafka client') }
    }
    const { result, isBroken } = await this.#producer.transaction(records, offsets, consumer)
    if (isBroken) {
      const broken = this.#producer
      this.#producer = undefined
      await broken.close()
    }
    return result.kind === 'unknown' ? this.#resolve(offsets, consumer, result.error) : result
  }

  async acknowledged(offsets: InboxOffsets): Promise<void> {
    const { reader, group, topic } = this.#options
    const positions = [...offsets].map(([partition, offset]) => ({ topic, partition, offset }))
    if (positions.length > 0) await reader.groups.commit(acknowledgedGroup(group), positions)
  }

  progress(): Promise<InboxGroup> {
    return inboxProgress({ ...this.#options, signal: this.#signal }, this.partitions)
  }

  async leave(): Promise<void> {
    this.#left.abort()
    const [consumer, producer] = [this.#consumer, this.#producer]
    this.#consumer = undefined
    this.#producer = undefined
    await consumer?.leave()
    await producer?.close()
  }

  /**
   * Whether a transaction was committed whose outcome no response told. The next producer with its transactional id ends it, and
   * the coordinator of the group has the offsets of a committed one then. Nobody else can have committed them: this member has
   * the partitions until its next poll, or another member works off the same records again from the offset that it finds.
   */
  async #resolve(
    offsets: InboxOffsets,
    consumer: GroupConsumer,
    error: Extract<TransactionResult, { kind: 'unavailable' }>['error'],
  ): Promise<TransactionResult> {
    const { log } = this.#options
    log.warn({ code: error.code }, `${error.message} Finding out whether it was committed.`)
    for (let retries = 0; !this.#signal.aborted; retries++) {
      try {
        this.#producer ??= await this.#clients.open()
        for (const [partition, offset] of offsets)
          if (((await consumer.committed(partition)) ?? 0) < offset) return { kind: 'unavailable', error }
        return { kind: 'committed' }
      } catch {
        await sleep(backoffDelay(BACKOFF, retries), this.#signal)
      }
    }
    return { kind: 'unavailable', error }
  }

  /** The group assigns the partitions by which the topic has grown, too. They stay paused. */
  #used(partitions: readonly number[]): readonly number[] {
    const { log, topic, grows } = this.#options
    const used = partitions.filter((partition) => grows === true || partition < this.partitions)
    if (used.length === partitions.length) return partitions
    if (!this.#hasWarned) warnOfUnused(log, topic, this.partitions)
    this.#hasWarned = true
    return used
  }

  async #loseConsumer(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    this.#lost = consumer?.assigned ?? []
    await consumer?.leave()
  }

  #consumerOrFail(): GroupConsumer {
    if (this.#consumer === undefined) throw logUnavailable('this instance is not in the group')
    return this.#consumer
  }

  #ask<Result>(task: (consumer: Consumer) => Promise<Result>): Promise<Result> {
    return this.#options.reader.requests.use(task)
  }
}

const isFatal = (error: unknown): boolean => {
  const { code, isFatal = false } = error as Partial<LibrdKafkaError>
  return isFatal || code === ERRORS.ERR__FATAL || code === ERRORS.ERR__STATE
}
