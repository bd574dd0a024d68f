import type { Position } from '../../../contract/index.js'
import { type Consumer, openConsumer, type Place } from './consumer.js'
import { consumerConfig } from './consumer-config.js'
import { createConsumerPool } from './consumer-pool.js'
import { createCoordinators } from './coordinators.js'
import { logFailed } from './failures.js'
import { BrokerRefusal, commitOffsets, fetchOffsets } from './group-requests.js'
import { addressesOf } from './probe/addresses.js'
import type { Connection } from './probe/connection.js'
import { securityOf } from './probe/security.js'
import type { ClientConfig } from './properties.js'
import type { ClientLogLine } from './session.js'

/** Milliseconds for which only librdkafka is asked after it was found that we cannot ask by ourselves. */
const RETRY_AFTER = 60_000
const MOST_CONSUMERS = 2

/** The committed positions of consumer groups without members. All of it rejects with HG_KAFKA_UNAVAILABLE. */
export interface GroupOffsets {
  /** In the order of `places`; the offset is undefined if nothing was committed. */
  committed(group: string, places: readonly Place[]): Promise<Partial<Position>[]>
  commit(group: string, positions: readonly Position[]): Promise<void>
  close(): Promise<void>
}

/**
 * librdkafka commits only for the one group of a client, and a client takes four threads and two connections. So all groups
 * share connections of our own, as far as we can log in; otherwise, a few clients that take turns.
 */
export function createGroupOffsets(
  config: ClientConfig,
  brokers: string,
  log: (line: ClientLogLine) => void,
): GroupOffsets {
  const security = securityOf(config)
  const coordinators =
    typeof security === 'string' ? undefined : createCoordinators(addressesOf(brokers), security)
  const pool = createConsumerPool(
    (group) => openConsumer(consumerConfig(config, group, 'asking'), log),
    MOST_CONSUMERS,
  )
  let retryAt = 0

  async function ask<Answer>(
    group: string,
    question: (connection: Connection) => Promise<Answer>,
    otherwise: (consumer: Consumer) => Promise<Answer>,
  ): Promise<Answer> {
    if (coordinators !== undefined && performance.now() >= retryAt) {
      try {
        return await coordinators.ask(group, question)
      } catch (error) {
        if (error instanceof BrokerRefusal) throw logFailed(error)
        // librdkafka may still find a way, and if it does not, it says why.
        retryAt = performance.now() + RETRY_AFTER
      }
    }
    const answer = await pool.use(group, otherwise)
    return answer
  }

  return {
    committed: (group, places) =>
      ask(
        group,
        (connection) => fetchOffsets(connection, group, places),
        (consumer) => consumer.committed(places),
      ),
    commit: (group, positions) =>
      ask(
        group,
        (connection) => commitOffsets(connection, group, positions),
        (consumer) => consumer.commit(positions),
      ),
    async close() {
      coordinators?.close()
      await pool.close()
    },
  }
}
