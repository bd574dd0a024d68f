import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import rdkafka, { type KafkaConsumer, type LibrdKafkaError, type Message, type Metadata } from 'node-rdkafka'
import type { Position } from '../../../contract/index.js'
import { createCommitter } from './committer.js'
import { logFailed, logUnavailable, NO_COORDINATOR } from './failures.js'
import type { ClientConfig } from './properties.js'
import type { ClientLogLine } from './session.js'

/** Milliseconds for the answer to one question. */
const TIMEOUT = 5000
/** Between two questions to a coordinator that is just coming up. */
const COORDINATOR_PAUSE = 100
/**
 * How long one call waits for the next record: once more after the end of a partition, too (node-rdkafka, src/workers.cc).
 * Such a wait occupies one of the few threads that libuv has.
 */
const FETCH_WAIT = 5

/** Stand in for a point in time in `offsets`. */
export const START = -2
export const END = -1

export interface Place {
  readonly topic: string
  readonly partition: number
}

export interface Batch {
  readonly messages: readonly Message[]
  /** Partitions that were read to their present end. */
  readonly ends: readonly Position[]
}

/**
 * One node-rdkafka KafkaConsumer from connect to disconnect, which belongs to a group and never joins it. All of it
 * rejects with HG_KAFKA_UNAVAILABLE.
 */
export interface Consumer {
  /** How many partitions a topic has; 0 where there is no such topic. */
  partitions(topic: string): Promise<number>
  /** For each place the first offset at or after a time (milliseconds since the epoch), START or END; -1 where none is. */
  offsets(places: readonly Place[], time: number): Promise<Position[]>
  /** What the group has committed, undefined where that is nothing. */
  committed(places: readonly Place[]): Promise<Partial<Position>[]>
  commit(positions: readonly Position[]): Promise<void>
  /** A commit has failed for lack of an answer, which may still come. */
  committing(): boolean
  /** Reads from these positions on, and no longer from any other. */
  assign(positions: readonly Position[]): void
  /** What comes next: up to `count` records, fewer where that would take long. */
  consume(count: number): Promise<Batch>
  /** After what is under way: librdkafka crashes where a client is used that is being disconnected. */
  close(): Promise<void>
}

export async function openConsumer(
  config: ClientConfig,
  log: (line: ClientLogLine) => void,
): Promise<Consumer> {
  const client = await connect(config, log)
  const consume = promisify(client.consume.bind(client)) as (count: number) => Promise<Message[]>
  let ends: Position[] = []
  client.on('partition.eof', (end) => ends.push(end))
  const underWay = new Set<Promise<unknown>>()

  async function call<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const promise = work()
    underWay.add(promise)
    try {
      return await promise
    } catch (error) {
      throw logFailed(error)
    } finally {
      underWay.delete(promise)
    }
  }

  const committer = createCommitter(client, () => consume(1))

  return {
    partitions: (topic) =>
      call(async () => {
        const question = { topic, allTopics: false, timeout: TIMEOUT }
        const { topics } = await ask<Metadata>((done) => client.getMetadata(question, done))
        return topics.find(({ name }) => name === topic)?.partitions.length ?? 0
      }),
    offsets: (places, time) =>
      call(async () => {
        const question = places.map(({ topic, partition }) => ({ topic, partition, offset: time }))
        return complete(
          await ask<(Position | Error)[]>((done) => client.offsetsForTimes(question, TIMEOUT, done)),
        )
      }),
    committed: (places) =>
      call(async () => {
        const question = places.map(({ topic, partition }) => ({ topic, partition }))
        const deadline = performance.now() + TIMEOUT
        for (;;) {
          try {
            return complete(
              await ask<(Partial<Position> | Error)[]>((done) => client.committed(question, TIMEOUT, done)),
            )
          } catch (error) {
            if (!NO_COORDINATOR.has((error as LibrdKafkaError).code) || performance.now() > deadline)
              throw error
            await delay(COORDINATOR_PAUSE)
          }
        }
      }),
    commit: (positions) => call(() => committer.commit(positions)),
    committing: committer.committing,
    assign: (positions) => void client.assign([...positions]),
    consume: (count) =>
      call(async () => {
        ends = []
        const messages = await consume(count)
        return { messages, ends }
      }),
    async close() {
      await Promise.allSettled(underWay)
      // A client that is told to disconnect blocks a thread until its last commit is through, which may never be while
      // there is no coordinator, and the process could not even exit. So nobody waits for that.
      const gone = committer.finished().then(() => disconnect(client))
      if (!committer.committing()) await gone
    },
  }
}

async function connect(config: ClientConfig, log: (line: ClientLogLine) => void): Promise<KafkaConsumer> {
  let client: KafkaConsumer | undefined
  try {
    client = new rdkafka.KafkaConsumer({ ...config.global, offset_commit_cb: true }, config.topic)
    client.on('event.log', log)
    client.setDefaultConsumeTimeout(FETCH_WAIT)
    await promisify(client.connect.bind(client))({ allTopics: false, timeout: TIMEOUT })
    return client
  } catch (error) {
    // Its callbacks would keep it alive.
    if (client !== undefined) await disconnect(client)
    throw logFailed(error)
  }
}

const disconnect = (client: KafkaConsumer): Promise<void> =>
  new Promise((resolve) => client.disconnect(() => resolve()))

function ask<Answer>(
  question: (done: (error: LibrdKafkaError | null, answer: Answer) => void) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    question((error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

/** In the order of the question. Where it failed for one partition, an Error stands in its place (node-rdkafka, src/common.cc). */
function complete<Answer extends object>(answers: (Answer | Error)[]): Answer[] {
  return answers.map((answer) => {
    if (answer instanceof Error) throw logUnavailable(answer.message)
    return answer
  })
}
