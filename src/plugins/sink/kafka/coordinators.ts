import { setTimeout as delay } from 'node:timers/promises'
import { SerialQueue } from '../../../lib/async.js'
import { NO_COORDINATOR } from './failures.js'
import { BrokerRefusal, findCoordinator } from './group-requests.js'
import { addressesOf, format } from './probe/addresses.js'
import { type Address, type Connection, openConnection } from './probe/connection.js'
import { type Security, securityOf } from './probe/security.js'
import type { ClientConfig } from './properties.js'

/** All in milliseconds. For one response. */
const TIMEOUT = 3000
/** For a request with everything that it takes: a coordinator may just be coming up. */
const PATIENCE = 5000
const PAUSE = 100
/** Brokers close a connection that is idle for ten minutes. */
const IDLE = 60_000

/** Or why only librdkafka can connect, as the end of a sentence. */
export function coordinatorsOf(config: ClientConfig, brokers: string): Coordinators | string {
  const security = securityOf(config)
  return typeof security === 'string' ? security : new Coordinators(addressesOf(brokers), security)
}

/** Connections to the brokers that coordinate consumer groups: one to each such broker, for all groups. */
export class Coordinators {
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
        const isRefusal = error instanceof BrokerRefusal
        if (isRefusal && !NO_COORDINATOR.has(error.code)) throw error
        this.#addresses.delete(group)
        if (this.#closed || performance.now() > deadline) throw error
        // A connection that was idle may have been closed by the broker; after that, every address has its turn.
        if (!isRefusal && attempts > this.#bootstrap.length) throw error
        if (!isRefusal && attempts > 0) this.#first++
        await delay(PAUSE)
      }
    }
  }

  /** A connection of its own to the coordinator of a group, for a request whose response takes long. Rejects as `ask` does. */
  async open(group: string, signal: AbortSignal): Promise<Connection> {
    const address = await this.ask(group, async () => this.#addresses.get(group))
    if (address === undefined) throw new Error('the coordinator is moving')
    return await openConnection(address, this.#security, signal)
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
