import rdkafka, { type LibrdKafkaError, type Producer } from 'node-rdkafka'
import { HeadgateError } from '../../../../contract/errors.js'
import { explain } from '../failures.js'

/** A line of librdkafka's log; `severity` is syslog's. */
export interface ClientLogLine {
  readonly severity: number
  readonly fac: string
  readonly message: string
}

const CLIENT_REFUSED = rdkafka.CODES.ERRORS.ERR__STATE

/**
 * Connects; `timeout` milliseconds for the first response of Kafka. Rejects with HG_CONFIG_VALUE if librdkafka refuses the
 * combination of its properties, and with HG_KAFKA_UNAVAILABLE otherwise; the Producer is gone then.
 */
export async function connect(producer: Producer, timeout: number): Promise<void> {
  const error = await new Promise<LibrdKafkaError | null>((resolve) => {
    producer.connect({ allTopics: false, timeout }, (failed) => resolve(failed))
  })
  if (!error) return
  await release(producer)
  if (error.code === CLIENT_REFUSED) {
    throw new HeadgateError('HG_CONFIG_VALUE', `The Kafka client rejects its properties: ${error.message}.`)
  }
  throw new HeadgateError('HG_KAFKA_UNAVAILABLE', explain(error))
}

/**
 * Disconnects by the method that the Producer inherits: its own one flushes first, which sends the records that we have given
 * up, and throws if there never was a connection (node-rdkafka, lib/producer.js and lib/client.js). The callback comes when
 * librdkafka has ended its threads and closed its sockets.
 */
export function release(producer: Producer): Promise<void> {
  const { disconnect } = Object.getPrototypeOf(rdkafka.Producer.prototype) as {
    disconnect(this: Producer, done: () => void): void
  }
  return new Promise((resolve) => disconnect.call(producer, () => resolve()))
}

/** Rejects with HG_KAFKA_UNAVAILABLE if Kafka does not respond in time. */
export function metadata(
  producer: Producer,
  options: { topic?: string; allTopics: boolean; timeout: number },
) {
  return new Promise<rdkafka.Metadata>((resolve, reject) => {
    producer.getMetadata(options, (error, found) => {
      if (error) reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', explain(error)))
      else resolve(found)
    })
  })
}

/** Milliseconds between two polls. */
const BUSY = 1
const IDLE = 250

/**
 * Calls `poll`, without which no delivery report arrives: every millisecond while `isAwaiting()`, which costs 7 % of a core
 * for as long as it lasts, and rarely otherwise.
 */
export class Polling {
  readonly #poll: () => void
  readonly #isAwaiting: () => boolean
  #interval = IDLE
  #timer: NodeJS.Timeout

  constructor(poll: () => void, isAwaiting: () => boolean) {
    this.#poll = poll
    this.#isAwaiting = isAwaiting
    this.#timer = setInterval(this.#tick, IDLE)
  }

  /** A record was sent: polls often from now on, until no report is awaited any more. */
  wake(): void {
    this.#changeTo(BUSY)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  readonly #tick = (): void => {
    this.#poll()
    if (!this.#isAwaiting()) this.#changeTo(IDLE)
  }

  #changeTo(interval: number): void {
    if (interval === this.#interval) return
    this.#interval = interval
    clearInterval(this.#timer)
    this.#timer = setInterval(this.#tick, interval)
  }
}
