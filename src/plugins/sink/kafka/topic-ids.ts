import { addressesOf } from './probe/addresses.js'
import { type Address, type Connection, openConnection } from './probe/connection.js'
import { identifyTopics, type TopicIdentity } from './probe/describe.js'
import { securityOf } from './probe/security.js'
import type { ClientConfig } from './properties.js'

/** Asks a cluster which topics are behind their names, over one connection of its own. */
export interface TopicIds {
  /**
   * The identity of each topic; a topic that does not exist is left out. Undefined when the cluster cannot be asked this
   * way: a login that only librdkafka can do, a broker that is too old, or one that does not answer.
   */
  identify(topics: readonly string[]): Promise<ReadonlyMap<string, string> | undefined>
  close(): void
}

/** Milliseconds for one answer. */
const TIMEOUT = 3000
/** Milliseconds without a question after which the connection is closed. Brokers close it after ten minutes. */
const IDLE = 60_000

export function createTopicIds(config: ClientConfig, brokers: string): TopicIds {
  const addresses = addressesOf(brokers)
  let connection: Connection | undefined
  /** Of one connection: aborted when it is not to be used any more. */
  let lifetime = new AbortController()
  /** Counts on when an address fails: the next attempt begins with another one. */
  let first = 0
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let closed = false

  function discard(): void {
    clearTimeout(idle)
    lifetime.abort()
    connection?.close()
    connection = undefined
  }

  async function connect(): Promise<Connection | undefined> {
    const security = securityOf(config)
    if (typeof security === 'string') return undefined
    lifetime = new AbortController()
    for (let tried = 0; tried < addresses.length && !lifetime.signal.aborted; tried++) {
      const address = addresses[first % addresses.length] as Address
      try {
        return await openConnection(address, security, lifetime.signal)
      } catch {
        first++
      }
    }
    return undefined
  }

  async function ask(topics: readonly string[]): Promise<readonly TopicIdentity[] | undefined> {
    clearTimeout(idle)
    // A connection that was left open may have been closed by the broker, which is no reason to give up.
    for (let attempts = addresses.length + 1; attempts > 0 && !closed; attempts--) {
      const late = setTimeout(discard, TIMEOUT)
      try {
        connection ??= await connect()
        if (connection === undefined) return undefined
        const answer = await identifyTopics(connection, topics)
        idle = setTimeout(discard, IDLE).unref()
        return answer
      } catch {
        discard()
        first++
      } finally {
        clearTimeout(late)
      }
    }
    return undefined
  }

  return {
    async identify(topics) {
      const turn = last.then(() => ask(topics))
      last = turn
      const answer = await turn
      if (answer === undefined) return undefined
      const identities = new Map<string, string>()
      for (const { name, state, identity } of answer) {
        if (state === 'exists') identities.set(name, identity)
        else if (state !== 'missing') return undefined
      }
      return identities
    },
    close() {
      closed = true
      discard()
    },
  }
}
