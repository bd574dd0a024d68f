import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import rdkafka, {
  type KafkaConsumer,
  type LibrdKafkaError,
  type Message,
  type TopicPartition,
} from 'node-rdkafka'
import { logFailed } from '../failures.js'
import type { ClientLogLine } from '../producer/producer.js'
import type { ClientConfig } from '../properties.js'
import { unlessStuck } from '../stuck-calls.js'

const { ERRORS } = rdkafka.CODES

/** Milliseconds for the response to one request. */
const TIMEOUT = 5000
/** How long a poll waits for the first record: it occupies one of the few threads that libuv has. */
const FETCH_WAIT = 5
/** Milliseconds in which the thread that disconnects a client has begun. */
const END_BEGINS = 5

/** A change of the assignment, until it is applied. */
interface Change {
  readonly kind: 'assigned' | 'revoked'
  readonly partitions: readonly number[]
}

export interface GroupPoll {
  readonly assigned: readonly number[]
  readonly revoked: readonly number[]
  readonly messages: readonly Message[]
}

/**
 * One node-rdkafka KafkaConsumer, as a member of the group of an inbox. librdkafka does not rejoin the group before a change is
 * applied, so no generation of the group is valid that an owner has not seen; therefore changes are applied in `poll` only.
 * After an error with `isFatal` it is at its end.
 */
export class GroupConsumer {
  readonly #client: KafkaConsumer
  readonly #topic: string
  readonly #changes: Change[] = []
  readonly #assigned = new Set<number>()
  readonly #consume: (count: number) => Promise<Message[]>
  #isLeaving = false

  static async join(
    config: ClientConfig,
    topic: string,
    log: (line: ClientLogLine) => void,
  ): Promise<GroupConsumer> {
    const changes: [error: LibrdKafkaError | undefined, partitions: TopicPartition[]][] = []
    let changed = (error: LibrdKafkaError | undefined, partitions: TopicPartition[]): void =>
      void changes.push([error, partitions])
    const client = new rdkafka.KafkaConsumer(
      {
        ...config.global,
        rebalance_cb: (error: LibrdKafkaError | undefined, partitions: TopicPartition[]) =>
          changed(error, partitions),
      },
      config.topic,
    )
    client.on('event.log', log)
    try {
      await promisify(client.connect.bind(client))({ allTopics: false, timeout: TIMEOUT })
    } catch (error) {
      await disconnect(client)
      throw logFailed(error)
    }
    const consumer = new GroupConsumer(client, topic)
    changed = (error, partitions) => consumer.#change(error, partitions)
    for (const each of changes) consumer.#change(...each)
    client.subscribe([topic])
    return consumer
  }

  private constructor(client: KafkaConsumer, topic: string) {
    this.#client = client
    this.#topic = topic
    this.#consume = promisify(client.consume.bind(client)) as (count: number) => Promise<Message[]>
  }

  /** For `sendOffsetsToTransaction`. */
  get client(): KafkaConsumer {
    return this.#client
  }

  /** Partitions that it has until the next poll. */
  get assigned(): readonly number[] {
    return [...this.#assigned]
  }

  /** Applies one change of the assignment, or polls. */
  async poll(limit: number): Promise<GroupPoll> {
    const change = this.#changes.shift()
    if (change !== undefined) return this.#apply(change)
    try {
      // A call for many would wait until there are as many, or none came for the timeout (node-rdkafka, src/workers.cc).
      this.#client.setDefaultConsumeTimeout(FETCH_WAIT)
      const messages = await this.#consume(1)
      if (messages.length > 0 && limit > 1) {
        this.#client.setDefaultConsumeTimeout(0)
        messages.push(...(await this.#consume(limit - 1).catch(() => [])))
      }
      return { assigned: [], revoked: [], messages }
    } catch (error) {
      // It was not polled for too long: the group takes the partitions away, which is a change of its own.
      if ((error as LibrdKafkaError).code === ERRORS.ERR__MAX_POLL_EXCEEDED) return NOTHING
      throw error
    }
  }

  pause(partition: number): void {
    if (this.#assigned.has(partition)) this.#client.pause([this.#at(partition)])
  }

  resume(partition: number): void {
    if (this.#assigned.has(partition)) this.#client.resume([this.#at(partition)])
  }

  /** As of the last response of its leader. */
  end(partition: number): number | undefined {
    if (!this.#assigned.has(partition)) return undefined
    try {
      const { highOffset } = this.#client.getWatermarkOffsets(this.#topic, partition)
      return highOffset >= 0 ? highOffset : undefined
    } catch {
      return undefined
    }
  }

  /** The committed offset once no transaction is open that could change it; undefined if there is none. */
  async committed(partition: number): Promise<number | undefined> {
    const [found] = await new Promise<{ offset?: number }[]>((resolve, reject) => {
      this.#client.committed([this.#at(partition)], TIMEOUT, (error, positions) =>
        error ? reject(logFailed(error)) : resolve(positions as { offset?: number }[]),
      )
    })
    if (found instanceof Error) throw logFailed(found)
    return found?.offset
  }

  /** Whether it has no partition, and none is about to come. */
  get isIdle(): boolean {
    return this.#assigned.size === 0 && this.#changes.length === 0
  }

  /**
   * Leaves the group and disconnects. Nothing else may be called meanwhile or afterwards.
   *
   * The client gives its partitions up when it already knows that it ends: librdkafka 2.12 forgets to leave the group if it learns
   * that while it gives partitions up incrementally (rd_kafka_cgrp_incr_unassign_done). 5 of 400 members stayed in the group until
   * the end of their session that way.
   */
  async leave(): Promise<void> {
    this.#isLeaving = true
    const disconnected = unlessStuck(disconnect(this.#client)).catch(() => {})
    await delay(END_BEGINS)
    // librdkafka does not end before each change is applied, also one that it was just making known: its thread would keep the
    // process from exiting.
    while (this.#changes.length > 0) this.#applyNext()
    await disconnected
  }

  #change(error: LibrdKafkaError | undefined, partitions: TopicPartition[]): void {
    const kind = error?.code === ERRORS.ERR__ASSIGN_PARTITIONS ? 'assigned' : 'revoked'
    this.#changes.push({ kind, partitions: partitions.map(({ partition }) => partition) })
    if (this.#isLeaving) this.#applyNext()
  }

  #applyNext(): void {
    try {
      this.#apply(this.#changes.shift() as Change)
    } catch {
      // The client has ended.
    }
  }

  #apply({ kind, partitions }: Change): GroupPoll {
    const positions = partitions.map((partition) => this.#at(partition))
    if (kind === 'assigned') {
      this.#client.incrementalAssign(positions as never)
      for (const partition of partitions) this.#assigned.add(partition)
      if (positions.length > 0) this.#client.pause(positions)
      return { ...NOTHING, assigned: partitions }
    }
    this.#client.incrementalUnassign(positions as never)
    for (const partition of partitions) this.#assigned.delete(partition)
    return { ...NOTHING, revoked: partitions }
  }

  #at(partition: number): TopicPartition {
    return { topic: this.#topic, partition }
  }
}

const NOTHING: GroupPoll = { assigned: [], revoked: [], messages: [] }

const disconnect = (client: KafkaConsumer): Promise<void> =>
  new Promise((resolve) => client.disconnect(() => resolve()))
