import rdkafka from 'node-rdkafka'
import type { Position } from '../../../../contract/index.js'
import { logFailed } from '../failures.js'
import { hasStaticMembers, instancesIn } from '../instances/member-requests.js'
import type { ClientLogLine } from '../producer/producer.js'
import { type ClientConfig, consumerConfig } from '../properties.js'
import type { Connection } from '../protocol/connection.js'
import type { Coordinators } from '../protocol/coordinators.js'
import {
  BrokerRefusal,
  commitOffsets,
  fetchAllOffsets,
  fetchMembers,
  fetchOffsets,
  type GroupMember,
} from '../protocol/group-requests.js'
import { type Consumer, openConsumer, type TopicPartition } from './consumer.js'
import { ConsumerPool } from './shared-consumers.js'

/** Milliseconds for which only librdkafka is asked after our own connections have failed. */
const RETRY_AFTER = 60_000
const MOST_CONSUMERS = 2
const NOT_ALLOWED = rdkafka.CODES.ERRORS.ERR_GROUP_AUTHORIZATION_FAILED

/**
 * The committed positions of consumer groups without members. Everything rejects with HG_KAFKA_UNAVAILABLE.
 *
 * librdkafka commits only for the one group of a client, and a client takes four threads and two connections. So all groups
 * share connections of our own, as far as we can log in; otherwise, a few clients that take turns.
 */
export class GroupOffsets {
  readonly #coordinators: Coordinators | undefined
  readonly #pool: ConsumerPool
  #retryAt = 0

  /** `coordinators`: or why only librdkafka can connect. */
  constructor(config: ClientConfig, coordinators: Coordinators | string, log: (line: ClientLogLine) => void) {
    this.#coordinators = typeof coordinators === 'string' ? undefined : coordinators
    this.#pool = new ConsumerPool(
      (group) => openConsumer(consumerConfig(config, group, 'asking'), log),
      MOST_CONSUMERS,
    )
  }

  /** In the order of `partitions`; the offset is undefined if nothing was committed. */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<Partial<Position>[]> {
    return this.#ask(
      group,
      (connection) => fetchOffsets(connection, group, partitions),
      (consumer) => consumer.committed(partitions),
    )
  }

  commit(group: string, positions: readonly Position[]): Promise<void> {
    return this.#ask(
      group,
      (connection) => commitOffsets(connection, group, positions),
      (consumer) => consumer.commit(positions),
    )
  }

  /** Undefined if only librdkafka can log in, or if the coordinator does not respond: it cannot be asked for them. */
  async members(group: string): Promise<readonly GroupMember[] | undefined> {
    return this.#coordinators
      ?.ask(group, (connection) => fetchMembers(connection, group))
      .catch(() => undefined)
  }

  /** Everything that was committed, of whatever topics. Empty if only librdkafka can log in, or if the group is not allowed. */
  async all(group: string): Promise<readonly Position[]> {
    return (await this.#read(group, fetchAllOffsets)) ?? []
  }

  /** Members of a group of instances. 0 if only librdkafka can log in, or if the group is not allowed. */
  async countInstances(group: string): Promise<number> {
    const count = async (connection: Connection) =>
      (await hasStaticMembers(connection)) ? (await instancesIn(connection, group)).length : 0
    return (await this.#read(group, count)) ?? 0
  }

  /** Closes the coordinators, too. */
  async close(): Promise<void> {
    this.#coordinators?.close()
    await this.#pool.close()
  }

  /** Undefined if it is not allowed, or if only librdkafka can log in, which has no such request. */
  async #read<Result>(
    group: string,
    request: (connection: Connection, group: string) => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await this.#coordinators?.ask(group, (connection) => request(connection, group))
    } catch (error) {
      if (error instanceof BrokerRefusal && error.code === NOT_ALLOWED) return undefined
      throw logFailed(error)
    }
  }

  async #ask<Result>(
    group: string,
    request: (connection: Connection) => Promise<Result>,
    otherwise: (consumer: Consumer) => Promise<Result>,
  ): Promise<Result> {
    if (this.#coordinators !== undefined && performance.now() >= this.#retryAt) {
      try {
        return await this.#coordinators.ask(group, request)
      } catch (error) {
        if (error instanceof BrokerRefusal) throw logFailed(error)
        // librdkafka may still reach the cluster; otherwise its error gives the reason.
        this.#retryAt = performance.now() + RETRY_AFTER
      }
    }
    return await this.#pool.use(group, otherwise)
  }
}
