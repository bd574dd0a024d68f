import { setTimeout as delay } from 'node:timers/promises'
import { NO_COORDINATOR } from './failures.js'
import { BrokerRefusal, findCoordinator } from './group-requests.js'
import { format } from './probe/addresses.js'
import { type Address, type Connection, openConnection } from './probe/connection.js'
import type { Security } from './probe/security.js'

/** All in milliseconds. For one answer. */
const TIMEOUT = 3000
/** For a question with all that it takes: a coordinator may just be coming up. */
const PATIENCE = 5000
const PAUSE = 100
/** Brokers close a connection that is idle for ten minutes. */
const IDLE = 60_000

/** Connections to the brokers that coordinate consumer groups: one to each such broker, for all groups. */
export interface Coordinators {
  /**
   * Asks the coordinator of a group. Rejects with a BrokerRefusal if it refuses, and with another error if it cannot be
   * asked.
   */
  ask<Answer>(group: string, question: (connection: Connection) => Promise<Answer>): Promise<Answer>
  close(): void
}

interface Open {
  readonly connection: Promise<Connection>
  readonly lifetime: AbortController
  last: Promise<unknown>
  idle?: NodeJS.Timeout
}

/** `bootstrap`: the brokers that are asked first. */
export function createCoordinators(bootstrap: readonly Address[], security: Security): Coordinators {
  const connections = new Map<string, Open>()
  const addresses = new Map<string, Address>()
  let closed = false
  /** Counts on if a broker does not answer. */
  let first = 0

  function drop(key: string, open: Open): void {
    clearTimeout(open.idle)
    if (connections.get(key) === open) connections.delete(key)
    open.lifetime.abort()
    open.connection.then(
      (connection) => connection.close(),
      () => {},
    )
  }

  /** One question after the other: an answer is matched to its request by that. */
  function on<Answer>(
    address: Address,
    question: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    const key = format(address)
    let open = connections.get(key)
    if (open === undefined) {
      const lifetime = new AbortController()
      const connection = openConnection(address, security, lifetime.signal)
      open = { connection, lifetime, last: Promise.resolve() }
      connections.set(key, open)
    }
    const mine = open
    const turn = mine.last.then(async () => {
      mine.lifetime.signal.throwIfAborted()
      clearTimeout(mine.idle)
      const late = setTimeout(() => drop(key, mine), TIMEOUT)
      try {
        return await question(await mine.connection)
      } catch (error) {
        if (!(error instanceof BrokerRefusal)) drop(key, mine)
        throw error
      } finally {
        clearTimeout(late)
        if (!mine.lifetime.signal.aborted) mine.idle = setTimeout(() => drop(key, mine), IDLE).unref()
      }
    })
    mine.last = turn.catch(() => {})
    return turn
  }

  async function coordinatorOf(group: string): Promise<Address> {
    const known = addresses.get(group)
    if (known !== undefined) return known
    // One of those that are connected already, if there is any: a coordinator is a broker too.
    const open = [...addresses.values()].find((address) => connections.has(format(address)))
    const found = await on(open ?? (bootstrap[first % bootstrap.length] as Address), (connection) =>
      findCoordinator(connection, group),
    )
    addresses.set(group, found)
    return found
  }

  return {
    async ask(group, question) {
      const deadline = performance.now() + PATIENCE
      for (let attempts = 0; ; attempts++) {
        if (closed) throw new Error('it is closed')
        try {
          return await on(await coordinatorOf(group), question)
        } catch (error) {
          addresses.delete(group)
          const refused = error instanceof BrokerRefusal
          if (closed || performance.now() > deadline || (refused && !NO_COORDINATOR.has(error.code)))
            throw error
          // A connection that was idle may have been closed by the broker; after that, every address has its turn.
          if (!refused && attempts > bootstrap.length) throw error
          if (!refused && attempts > 0) first++
          await delay(PAUSE)
        }
      }
    },
    close() {
      closed = true
      for (const [key, open] of connections) drop(key, open)
    },
  }
}
