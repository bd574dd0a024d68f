import { setTimeout as delay } from 'node:timers/promises'
import rdkafka from 'node-rdkafka'
import type { Position } from '../../../contract/index.js'
import { SerialQueue } from '../../../lib/async.js'
import { type Consumer, openConsumer, type TopicPartition } from './consumer.js'
import { logFailed, NO_COORDINATOR } from './failures.js'
import {
  BrokerRefusal,
  commitOffsets,
  fetchAllOffsets,
  fetchMembers,
  fetchOffsets,
  findCoordinator,
  type GroupMember,
} from './group-requests.js'
import { hasStaticMembers, instancesIn } from './instances/member-requests.js'
import { addressesOf, format } from './probe/addresses.js'
import { type Address, type Connection, openConnection } from './probe/connection.js'
import { type Security, securityOf } from './probe/security.js'
import type { ClientLogLine } from './producer.js'
import { type ClientConfig, consumerConfig } from './properties.js'
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

  constructor(config: ClientConfig, brokers: string, log: (line: ClientLogLine) => void) {
    const security = securityOf(config)
    this.#coordinators =
      typeof security === 'string' ? undefined : new Coordinators(addressesOf(brokers), security)
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

/** All in milliseconds. For one response. */
const TIMEOUT = 3000
/** For a request with everything that it takes: a coordinator may just be coming up. */
const PATIENCE = 5000
const PAUSE = 100
/** Brokers close a connection that is idle for ten minutes. */
const IDLE = 60_000

/** Connections to the brokers that coordinate consumer groups: one to each such broker, for all groups. */
class Coordinators {
  readonly #bootstrap: readonly Address[]
  readonly #security: Security
  readonly #connections = new Map<string, BrokerConnection>()
  readonly #addresses = new Map<string, Address>()
  #closed = false
  /** Counts up if a broker does not respond. */
  #first = 0

  /** `bootstrap`: the brokers that are asked first. */
  constructor(bootstrap: readonly Address[], security: Security) {
    this.#bootstrap = bootstrap
    this.#security = security
  }

  /**
   * Asks the coordinator of a group. Rejects with a BrokerRefusal if it refuses, and with another error if it cannot be
   * asked.
   */
  async ask<Result>(group: string, request: (connection: Connection) => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + PATIENCE
    for (let attempts = 0; ; attempts++) {
      if (this.#closed) throw new Error('it is closed')
      try {
        return await this.#on(await this.#coordinatorOf(group), request)
      } catch (error) {
        this.#addresses.delete(group)
        const isRefusal = error instanceof BrokerRefusal
        const isFinal = isRefusal && !NO_COORDINATOR.has(error.code)
        if (this.#closed || performance.now() > deadline || isFinal) throw error
        // A connection that was idle may have been closed by the broker; after that, every address has its turn.
        if (!isRefusal && attempts > this.#bootstrap.length) throw error
        if (!isRefusal && attempts > 0) this.#first++
        await delay(PAUSE)
      }
    }
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  async #coordinatorOf(group: string): Promise<Address> {
    const cached = this.#addresses.get(group)
    if (cached !== undefined) return cached
    // Prefers a broker that is connected already: a coordinator is a broker too.
    const connected = [...this.#addresses.values()].find((address) => this.#connections.has(format(address)))
    const first = this.#bootstrap[this.#first % this.#bootstrap.length] as Address
    const found = await this.#on(connected ?? first, (connection) => findCoordinator(connection, group))
    this.#addresses.set(group, found)
    return found
  }

  #on<Result>(address: Address, request: (connection: Connection) => Promise<Result>): Promise<Result> {
    const key = format(address)
    let connection = this.#connections.get(key)
    if (connection === undefined) {
      const opened = new BrokerConnection(address, this.#security, () => {
        if (this.#connections.get(key) === opened) this.#connections.delete(key)
      })
      this.#connections.set(key, opened)
      connection = opened
    }
    return connection.ask(request)
  }
}

/** One request after the other: only the order matches a response to its request. */
class BrokerConnection {
  readonly #connection: Promise<Connection>
  readonly #lifetime = new AbortController()
  readonly #queue = new SerialQueue()
  readonly #onClosed: () => void
  #idle: NodeJS.Timeout | undefined

  constructor(address: Address, security: Security, onClosed: () => void) {
    this.#connection = openConnection(address, security, this.#lifetime.signal)
    this.#onClosed = onClosed
  }

  ask<Result>(request: (connection: Connection) => Promise<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      this.#lifetime.signal.throwIfAborted()
      clearTimeout(this.#idle)
      const late = setTimeout(() => this.close(), TIMEOUT)
      try {
        return await request(await this.#connection)
      } catch (error) {
        if (!(error instanceof BrokerRefusal)) this.close()
        throw error
      } finally {
        clearTimeout(late)
        if (!this.#lifetime.signal.aborted) this.#idle = setTimeout(() => this.close(), IDLE).unref()
      }
    })
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#onClosed()
    this.#lifetime.abort()
    this.#connection.then(
      (connection) => connection.close(),
      () => {},
    )
  }
}
