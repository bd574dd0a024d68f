import { SerialQueue } from '../../../../lib/async.js'
import type { ClientConfig } from '../properties.js'
import { addressesOf, format } from './addresses.js'
import { type Address, type Connection, openConnection } from './connection.js'
import { connectionSettings } from './connection-settings.js'
import { BrokerRefusal } from './group-requests.js'

/** Milliseconds for one response, and for the connection if there is none yet. */
const TIMEOUT = 3000
/** Milliseconds without a request after which a connection is closed. Brokers close it after ten minutes. */
const IDLE = 60_000

/** Connections of our own to brokers: one to each, opened for the first request, and again for the one after it was lost. */
export class BrokerConnections {
  readonly #config: ClientConfig
  readonly #bootstrap: readonly Address[]
  readonly #connections = new Map<string, BrokerConnection>()
  /** Counts up if a bootstrap broker does not respond. */
  #first = 0
  #isClosed = false

  /** `brokers`: the addresses that are asked first. */
  constructor(config: ClientConfig, brokers: string) {
    this.#config = config
    this.#bootstrap = addressesOf(brokers)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** One to begin with; after it failed, the next. */
  get bootstrap(): Address {
    return this.#bootstrap[this.#first % this.#bootstrap.length] as Address
  }

  /** So many attempts give each bootstrap broker its turn, also if the first finds a connection that the broker has closed. */
  get attempts(): number {
    return this.#bootstrap.length + 1
  }

  /** Whether a connection to this broker is open, or being opened. */
  has(address: Address): boolean {
    return this.#connections.has(format(address))
  }

  /** Rejects with a BrokerRefusal if the broker refuses the request, and with another error if the connection failed. */
  async ask<Result>(address: Address, request: (connection: Connection) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new Error('it is closed')
    try {
      return await this.#to(address).ask(request)
    } catch (error) {
      // Of many requests that fail together, one moves on.
      if (!(error instanceof BrokerRefusal) && address === this.bootstrap) this.#first++
      throw error
    }
  }

  /** A connection for one caller, which closes it: for a request whose response takes long. */
  async open(address: Address, signal: AbortSignal): Promise<Connection> {
    // With each connection again, as certificates may have been renewed.
    const settings = connectionSettings(this.#config)
    if (typeof settings === 'string') throw new Error(`only librdkafka can connect: ${settings}`)
    return await openConnection(address, settings, signal)
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections.values()) connection.close()
  }

  #to(address: Address): BrokerConnection {
    const key = format(address)
    const present = this.#connections.get(key)
    if (present !== undefined) return present
    const opened = new BrokerConnection(
      (signal) => this.open(address, signal),
      () => {
        if (this.#connections.get(key) === opened) this.#connections.delete(key)
      },
    )
    this.#connections.set(key, opened)
    return opened
  }
}

/** One request after the other: only the order matches a response to its request. */
class BrokerConnection {
  readonly #connection: Promise<Connection>
  readonly #lifetime = new AbortController()
  readonly #queue = new SerialQueue()
  readonly #onClosed: () => void
  #idle: NodeJS.Timeout | undefined

  constructor(open: (signal: AbortSignal) => Promise<Connection>, onClosed: () => void) {
    this.#connection = open(this.#lifetime.signal)
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
