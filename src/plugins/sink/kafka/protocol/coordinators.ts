import { setTimeout as delay } from 'node:timers/promises'
import { NO_COORDINATOR } from '../failures.js'
import type { ClientConfig } from '../properties.js'
import { BrokerConnections } from './broker-connections.js'
import type { Address, Connection } from './connection.js'
import { connectionSettings } from './connection-settings.js'
import { BrokerRefusal, findCoordinator } from './group-requests.js'

/** Milliseconds for a request with everything that it takes: a coordinator may just be coming up. */
const PATIENCE = 5000
const PAUSE = 100

/** Or why only librdkafka can connect, as the end of a sentence. */
export function coordinatorsOf(config: ClientConfig, brokers: string): Coordinators | string {
  const settings = connectionSettings(config)
  return typeof settings === 'string' ? settings : new Coordinators(new BrokerConnections(config, brokers))
}

/** The brokers that coordinate consumer groups, with one connection to each such broker, for all groups. */
export class Coordinators {
  readonly #connections: BrokerConnections
  readonly #addresses = new Map<string, Address>()

  /** Closes the connections with itself. */
  constructor(connections: BrokerConnections) {
    this.#connections = connections
  }

  /**
   * Asks the coordinator of a group. Rejects with a BrokerRefusal if it refuses, and with another error if it cannot be
   * asked.
   */
  async ask<Result>(group: string, request: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connections = this.#connections
    const deadline = performance.now() + PATIENCE
    for (let attempts = 0; ; attempts++) {
      try {
        return await connections.ask(await this.#coordinatorOf(group), request)
      } catch (error) {
        const isRefusal = error instanceof BrokerRefusal
        if (isRefusal && !NO_COORDINATOR.has(error.code)) throw error
        this.#addresses.delete(group)
        if (connections.isClosed || performance.now() > deadline) throw error
        if (!isRefusal && attempts >= connections.attempts) throw error
        await delay(PAUSE)
      }
    }
  }

  /** A connection of its own to the coordinator of a group, for a request whose response takes long. Rejects as `ask` does. */
  async open(group: string, signal: AbortSignal): Promise<Connection> {
    const address = await this.ask(group, async () => this.#addresses.get(group))
    if (address === undefined) throw new Error('the coordinator is moving')
    return await this.#connections.open(address, signal)
  }

  close(): void {
    this.#connections.close()
  }

  async #coordinatorOf(group: string): Promise<Address> {
    const cached = this.#addresses.get(group)
    if (cached !== undefined) return cached
    // Prefers a broker that is connected already: a coordinator is a broker too.
    const connected = [...this.#addresses.values()].find((address) => this.#connections.has(address))
    const address = connected ?? this.#connections.bootstrap
    const found = await this.#connections.ask(address, (connection) => findCoordinator(connection, group))
    this.#addresses.set(group, found)
    return found
  }
}
