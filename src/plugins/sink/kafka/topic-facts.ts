import type { ClientConfig } from './properties.js'
import { BrokerConnections } from './protocol/broker-connections.js'
import type { Connection } from './protocol/connection.js'
import { describeConfigs, identifyTopics, type TopicSettings, tellsConfigs } from './protocol/describe.js'

/** Facts about topics that node-rdkafka does not pass on, asked for over a connection of our own. */
export class TopicFacts {
  readonly #connections: BrokerConnections

  constructor(config: ClientConfig, brokers: string) {
    this.#connections = new BrokerConnections(config, brokers)
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
    this.#connections.close()
  }

  /** Undefined if the cluster cannot be asked. */
  async #ask<Result>(request: (connection: Connection) => Promise<Result>): Promise<Result | undefined> {
    const connections = this.#connections
    for (let attempts = connections.attempts; attempts > 0 && !connections.isClosed; attempts--) {
      try {
        return await connections.ask(connections.bootstrap, request)
      } catch {
        // The next attempt is at another address.
      }
    }
    return undefined
  }
}
