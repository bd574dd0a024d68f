import { SerialQueue } from '../../../lib/async.js'
import { addressesOf } from './probe/addresses.js'
import { type Address, type Connection, openConnection } from './probe/connection.js'
import { describeConfigs, identifyTopics, type TopicSettings, tellsConfigs } from './probe/describe.js'
import { securityOf } from './probe/security.js'
import type { ClientConfig } from './properties.js'

/** Milliseconds for one response. */
const TIMEOUT = 3000
/** Milliseconds without a request after which the connection is closed. Brokers close it after ten minutes. */
const IDLE = 60_000

/** Facts about topics that node-rdkafka does not pass on, asked for over one connection of our own. */
export class TopicFacts {
  readonly #config: ClientConfig
  readonly #addresses: readonly Address[]
  readonly #queue = new SerialQueue()
  #connection: Connection | undefined
  /** Of one connection: aborted when it is not to be used any more. */
  #lifetime = new AbortController()
  /** Counts up when an address fails: the next attempt begins with another one. */
  #first = 0
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor(config: ClientConfig, brokers: string) {
    this.#config = config
    this.#addresses = addressesOf(brokers)
  }

  /**
   * The identity of each topic; a topic that does not exist is left out. Undefined if the cluster cannot be asked this way:
   * if only librdkafka can log in, or if a broker is too old or does not respond.
   */
  async identify(topics: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    const found = await this.#ask((connection) => identifyTopics(connection, topics))
    if (found === undefined) return undefined
    const identities = new Map<string, string>()
    for (const { name, state, identity } of found) {
      if (state === 'exists') identities.set(name, identity)
      else if (state !== 'missing') return undefined
    }
    return identities
  }

  /**
   * The settings in force of a topic by the names that are asked for. Undefined if the cluster cannot be asked this way, or if
   * the user lacks the right DescribeConfigs.
   */
  async settings(
    topic: string,
    names: readonly string[],
  ): Promise<Exclude<TopicSettings, string> | undefined> {
    const found = await this.#ask(async (connection) =>
      (await tellsConfigs(connection)) ? describeConfigs(connection, [topic], names) : undefined,
    )
    const settings = found?.get(topic)
    return typeof settings === 'string' ? undefined : settings
  }

  close(): void {
    this.#closed = true
    this.#discard()
  }

  /** Undefined if the cluster cannot be asked. */
  #ask<Result>(request: (connection: Connection) => Promise<Result>): Promise<Result | undefined> {
    return this.#queue.run(() => this.#askNext(request))
  }

  async #askNext<Result>(request: (connection: Connection) => Promise<Result>): Promise<Result | undefined> {
    clearTimeout(this.#idle)
    // A connection that was left open may have been closed by the broker, which is no reason to give up.
    for (let attempts = this.#addresses.length + 1; attempts > 0 && !this.#closed; attempts--) {
      const late = setTimeout(() => this.#discard(), TIMEOUT)
      try {
        this.#connection ??= await this.#connect()
        if (this.#connection === undefined) return undefined
        const found = await request(this.#connection)
        this.#idle = setTimeout(() => this.#discard(), IDLE).unref()
        return found
      } catch {
        this.#discard()
        this.#first++
      } finally {
        clearTimeout(late)
      }
    }
    return undefined
  }

  async #connect(): Promise<Connection | undefined> {
    const security = securityOf(this.#config)
    if (typeof security === 'string') return undefined
    this.#lifetime = new AbortController()
    const { signal } = this.#lifetime
    for (let attempt = 0; attempt < this.#addresses.length && !signal.aborted; attempt++) {
      const address = this.#addresses[this.#first % this.#addresses.length] as Address
      try {
        return await openConnection(address, security, signal)
      } catch {
        this.#first++
      }
    }
    return undefined
  }

  #discard(): void {
    clearTimeout(this.#idle)
    this.#lifetime.abort()
    this.#connection?.close()
    this.#connection = undefined
  }
}
