import { SerialQueue } from '../../../../lib/async.js'
import { logUnavailable } from '../failures.js'
import type { Consumer } from './consumer.js'

/** Milliseconds without use after which the connection is closed. */
const IDLE = 60_000

/** One consumer for requests and commits, opened when it is needed. */
export class SharedConsumer {
  readonly #open: () => Promise<Consumer>
  /** One task at a time: librdkafka must not be asked anything while it disconnects, and commits keep their order. */
  readonly #queue = new SerialQueue()
  #consumer: Consumer | undefined
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor(open: () => Promise<Consumer>) {
    this.#open = open
  }

  /** Runs `task` when no other is running. A consumer with which a task failed is not used again. */
  use<Result>(task: (consumer: Consumer) => Promise<Result>): Promise<Result> {
    if (this.#closed) return Promise.reject(logUnavailable('this sink is stopping'))
    return this.#queue.run(async () => {
      clearTimeout(this.#idle)
      this.#consumer ??= await this.#open()
      const consumer = this.#consumer
      try {
        const result = await task(consumer)
        this.#idle = setTimeout(() => void this.#queue.run(this.#discard), IDLE).unref()
        return result
      } catch (error) {
        // It may go on asking a leader of the past. But a pending commit must not be overtaken.
        if (!consumer.committing()) await this.#discard()
        throw error
      }
    })
  }

  /** Ends after the tasks before; from then on `use` rejects. */
  close(): Promise<void> {
    this.#closed = true
    return this.#queue.run(this.#discard)
  }

  readonly #discard = async (): Promise<void> => {
    clearTimeout(this.#idle)
    await this.#consumer?.close()
    this.#consumer = undefined
  }
}

/** Can hold one open consumer. */
class Slot {
  readonly queue = new SerialQueue()
  /** The group of the last task. */
  lastGroup: string | undefined
  /** Counts tasks of the pool: the smallest was used the longest time ago. */
  usedAt = 0
  #group: string | undefined
  #consumer: SharedConsumer | undefined

  async run<Result>(
    group: string,
    open: (group: string) => Promise<Consumer>,
    task: (consumer: Consumer) => Promise<Result>,
  ): Promise<Result> {
    if (this.#consumer === undefined || this.#group !== group) {
      await this.#consumer?.close()
      this.#consumer = new SharedConsumer(() => open(group))
      this.#group = group
    }
    return this.#consumer.use(task)
  }

  async close(): Promise<void> {
    await this.queue.drained()
    await this.#consumer?.close()
  }
}

/** Consumers of many groups, of which a few are open at a time: a client can commit only for its own group. */
export class ConsumerPool {
  readonly #open: (group: string) => Promise<Consumer>
  readonly #slots: readonly Slot[]
  #tasks = 0

  constructor(open: (group: string) => Promise<Consumer>, limit: number) {
    this.#open = open
    this.#slots = Array.from({ length: limit }, () => new Slot())
  }

  use<Result>(group: string, task: (consumer: Consumer) => Promise<Result>): Promise<Result> {
    const slot = this.#slots.find(({ lastGroup }) => lastGroup === group) ?? this.#leastUsed()
    slot.lastGroup = group
    slot.usedAt = ++this.#tasks
    return slot.queue.run(() => slot.run(group, this.#open, task))
  }

  /** Ends after the tasks before. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.close()))
  }

  #leastUsed(): Slot {
    return this.#slots.reduce((best, slot) =>
      slot.queue.size < best.queue.size || (slot.queue.size === best.queue.size && slot.usedAt < best.usedAt)
        ? slot
        : best,
    )
  }
}
