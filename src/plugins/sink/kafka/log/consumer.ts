import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import rdkafka, { type KafkaConsumer, type LibrdKafkaError, type Message, type Metadata } from 'node-rdkafka'
import type { Position } from '../../../../contract/index.js'
import { logFailed, logUnavailable, NO_COORDINATOR } from '../failures.js'
import type { ClientLogLine } from '../producer/producer.js'
import type { ClientConfig } from '../properties.js'
import { unlessStuck } from '../stuck-calls.js'

/** Milliseconds for the response to one request. */
const TIMEOUT = 5000
/** Between two requests to a coordinator that is just coming up. */
const COORDINATOR_PAUSE = 100
/**
 * How long one call waits for the next record: once more after the end of a partition, too (node-rdkafka, src/workers.cc).
 * Such a wait occupies one of the few threads that libuv has.
 */
const FETCH_WAIT = 5

/** Special points in time for `offsets`. */
export const START = -2
export const END = -1

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface Batch {
  readonly messages: readonly Message[]
  /** Partitions that were read to their present end. */
  readonly ends: readonly Position[]
}

/** Reads partitions, and belongs to a group without joining it. Everything rejects with HG_KAFKA_UNAVAILABLE. */
export interface Consumer {
  /** The number of partitions of a topic; 0 if there is no such topic. */
  partitions(topic: string): Promise<number>
  /** For each partition the first offset at or after a time (milliseconds since the epoch), START or END; -1 if there is none. */
  offsets(partitions: readonly TopicPartition[], time: number): Promise<Position[]>
  /** The committed offsets of the group; undefined if there is none. */
  committed(partitions: readonly TopicPartition[]): Promise<Partial<Position>[]>
  commit(positions: readonly Position[]): Promise<void>
  /** A commit has failed for lack of a response, which may still come. */
  committing(): boolean
  /** Reads from these positions on, and no longer from any other. */
  assign(positions: readonly Position[]): void
  /** The next records: up to `count`, fewer if that would take long. */
  consume(count: number): Promise<Batch>
  /** Waits for the calls in flight, unless one is stuck: librdkafka crashes if a client is used that is being disconnected. */
  close(): Promise<void>
}

export async function openConsumer(
  config: ClientConfig,
  log: (line: ClientLogLine) => void,
): Promise<Consumer> {
  return new RdkafkaConsumer(await connect(config, log))
}

/** One node-rdkafka KafkaConsumer from connect to disconnect. */
class RdkafkaConsumer implements Consumer {
  readonly #client: KafkaConsumer
  readonly #consume: (count: number) => Promise<Message[]>
  readonly #committer: Committer
  readonly #inFlight = new Set<Promise<unknown>>()
  #ends: Position[] = []

  constructor(client: KafkaConsumer) {
    this.#client = client
    this.#consume = promisify(client.consume.bind(client)) as (count: number) => Promise<Message[]>
    client.on('partition.eof', (end) => this.#ends.push(end))
    this.#committer = new Committer(client, () => this.#consume(1))
  }

  partitions(topic: string): Promise<number> {
    return this.#call(async () => {
      const request = { topic, allTopics: false, timeout: TIMEOUT }
      const { topics } = await promised<Metadata>((done) => this.#client.getMetadata(request, done))
      return topics.find(({ name }) => name === topic)?.partitions.length ?? 0
    })
  }

  offsets(partitions: readonly TopicPartition[], time: number): Promise<Position[]> {
    return this.#call(async () => {
      const request = partitions.map(({ topic, partition }) => ({ topic, partition, offset: time }))
      return complete(
        await promised<(Position | Error)[]>((done) => this.#client.offsetsForTimes(request, TIMEOUT, done)),
      )
    })
  }

  committed(partitions: readonly TopicPartition[]): Promise<Partial<Position>[]> {
    return this.#call(async () => {
      const request = partitions.map(({ topic, partition }) => ({ topic, partition }))
      const deadline = performance.now() + TIMEOUT
      for (;;) {
        try {
          return complete(
            await promised<(Partial<Position> | Error)[]>((done) =>
              this.#client.committed(request, TIMEOUT, done),
            ),
          )
        } catch (error) {
          if (!NO_COORDINATOR.has((error as LibrdKafkaError).code) || performance.now() > deadline)
            throw error
          await delay(COORDINATOR_PAUSE)
        }
      }
    })
  }

  commit(positions: readonly Position[]): Promise<void> {
    return this.#call(() => this.#committer.commit(positions))
  }

  committing(): boolean {
    return this.#committer.committing
  }

  assign(positions: readonly Position[]): void {
    this.#client.assign([...positions])
  }

  consume(count: number): Promise<Batch> {
    return this.#call(async () => {
      this.#ends = []
      const messages = await this.#consume(count)
      return { messages, ends: this.#ends }
    })
  }

  async close(): Promise<void> {
    await unlessStuck(this.#disconnect()).catch(() => {})
  }

  async #disconnect(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    // disconnect() blocks a thread until the last commit has ended. Without a coordinator that never happens, and the
    // process could not even exit, so nothing waits for it.
    const gone = this.#committer.finished().then(() => disconnect(this.#client))
    if (!this.#committer.committing) await gone
  }

  async #call<Result>(work: () => Promise<Result>): Promise<Result> {
    const promise = work()
    this.#inFlight.add(promise)
    try {
      return await unlessStuck(promise)
    } catch (error) {
      throw logFailed(error)
    } finally {
      promise.catch(() => {}).finally(() => this.#inFlight.delete(promise))
    }
  }
}

/** Milliseconds. Longer than librdkafka itself keeps a commit for a coordinator to come (`session.timeout.ms`). */
const COMMIT_TIMEOUT = 8000
/** Between two polls for a commit whose caller has stopped waiting. */
const COMMIT_PAUSE = 1000

/** Commits for the group of a client, one at a time. `commitSync` would block the whole process while it waits. */
export class Committer {
  readonly #client: KafkaConsumer
  readonly #poll: () => Promise<unknown>
  #committing = false
  #refusal: LibrdKafkaError | undefined

  /** `poll` consumes: node-rdkafka reports the results of commits only then. */
  constructor(client: KafkaConsumer, poll: () => Promise<unknown>) {
    this.#client = client
    this.#poll = poll
    client.on('offset.commit', (error) => {
      this.#committing = false
      this.#refusal = error
    })
  }

  /** A commit is still running in librdkafka, even if it was cancelled here. */
  get committing(): boolean {
    return this.#committing
  }

  /** Resolves when the coordinator has confirmed. */
  async commit(positions: readonly Position[]): Promise<void> {
    const deadline = performance.now() + COMMIT_TIMEOUT
    // A late commit must not be mistaken for this one, or overwrite it.
    await this.#through(deadline)
    this.#client.commit([...positions])
    this.#committing = true
    await this.#through(deadline)
    if (this.#refusal) throw this.#refusal
  }

  /** Resolves when librdkafka has ended it, without a limit of time; does not keep the process alive meanwhile. */
  async finished(): Promise<void> {
    while (this.#committing) {
      await new Promise((resolve) => setTimeout(resolve, COMMIT_PAUSE).unref())
      await this.#poll().catch(() => {})
    }
  }

  async #through(deadline: number): Promise<void> {
    while (this.#committing) {
      if (performance.now() > deadline)
        throw logUnavailable('the coordinator of the consumer group does not answer')
      await this.#poll()
    }
  }
}

async function connect(config: ClientConfig, log: (line: ClientLogLine) => void): Promise<KafkaConsumer> {
  let client: KafkaConsumer | undefined
  try {
    client = new rdkafka.KafkaConsumer({ ...config.global, offset_commit_cb: true }, config.topic)
    client.on('event.log', log)
    client.setDefaultConsumeTimeout(FETCH_WAIT)
    await unlessStuck(promisify(client.connect.bind(client))({ allTopics: false, timeout: TIMEOUT }))
    return client
  } catch (error) {
    // Its callbacks would keep it alive.
    if (client !== undefined) await unlessStuck(disconnect(client)).catch(() => {})
    throw logFailed(error)
  }
}

const disconnect = (client: KafkaConsumer): Promise<void> =>
  new Promise((resolve) => client.disconnect(() => resolve()))

function promised<Result>(
  call: (done: (error: LibrdKafkaError | null, result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** In the order of the request. If it failed for one partition, its result is an Error (node-rdkafka, src/common.cc). */
function complete<Result extends object>(results: (Result | Error)[]): Result[] {
  return results.map((result) => {
    if (result instanceof Error) throw logUnavailable(result.message)
    return result
  })
}
