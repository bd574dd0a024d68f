/** A record that is sent again if its batch was refused. */
export interface Batched {
  readonly topic: string
  /** Set by BatchLimits, for records of a topic that has a limit. */
  share: Share | undefined
}

/** The share of a record in the bytes in flight for its topic when it was sent. */
interface Share {
  readonly bytes: number
  readonly limit: number
  /** No other record of the topic has been in flight together with it. */
  alone: boolean
}

export interface BatchLimitsOptions<Record> {
  /** Bytes that the client puts into a batch. It sends a larger record by itself. */
  readonly batchSize: number
  bytesOf(record: Record): number
  send(record: Record): void
  /** A topic takes only batches of fewer bytes. */
  lowered(topic: string, limit: number): void
}

/**
 * Splits the batches of topics whose brokers refused a batch for its size. The client makes batches of the records in flight
 * for a partition, so a batch is as small as these are together. Each refusal halves the limit of its topic. A record that was
 * alone when it was refused is too large itself; for any other this is not known, and it is sent again.
 */
export class BatchLimits<Record extends Batched> {
  readonly #options: BatchLimitsOptions<Record>
  readonly #topics = new Map<string, LimitedTopic<Record>>()

  constructor(options: BatchLimitsOptions<Record>) {
    this.#options = options
  }

  /** Call it for every record. False if the record was queued: then it is sent later. */
  admit(record: Record): boolean {
    if (this.#topics.size === 0) return true
    return this.#topics.get(record.topic)?.admit(record) ?? true
  }

  /** A record that was sent is no longer in flight. Sends those for which there is room then. */
  ended(record: Record): void {
    if (record.share === undefined) return
    this.#topics.get(record.topic)?.ended(record)
  }

  /**
   * The batch of a record was refused for its size. False if it was alone: no batch is small enough for it. Otherwise it is
   * sent again. `inFlight`: all records that have not ended.
   */
  refused(record: Record, inFlight: Iterable<Record>): boolean {
    const { batchSize, bytesOf } = this.#options
    if (record.share?.alone === true || bytesOf(record) >= batchSize) return false
    const topic = this.#topics.get(record.topic) ?? this.#limit(record.topic, inFlight)
    topic.refused(record)
    return true
  }

  /** Forgets the queued records. */
  clear(): void {
    this.#topics.clear()
  }

  /** Everything in flight was sent without a limit, so its refusal says nothing about the new one. */
  #limit(name: string, inFlight: Iterable<Record>): LimitedTopic<Record> {
    const topic = new LimitedTopic(name, this.#options)
    this.#topics.set(name, topic)
    for (const record of inFlight) if (record.topic === name) topic.begin(record, this.#options.batchSize)
    topic.announce()
    return topic
  }
}

class LimitedTopic<Record extends Batched> {
  readonly #name: string
  readonly #options: BatchLimitsOptions<Record>
  #limit: number
  #bytes = 0
  #count = 0
  /** The only one in flight. */
  #single: Record | undefined
  /** Sent before, and refused with others: these go first. */
  readonly #retries: Record[] = []
  readonly #waiting: Record[] = []

  constructor(name: string, options: BatchLimitsOptions<Record>) {
    this.#name = name
    this.#options = options
    this.#limit = Math.floor(options.batchSize / 2)
  }

  admit(record: Record): boolean {
    if (this.#retries.length + this.#waiting.length > 0 || !this.#hasRoom(record)) {
      this.#waiting.push(record)
      return false
    }
    this.begin(record)
    return true
  }

  begin(record: Record, limit = this.#limit): void {
    const alone = this.#count === 0
    if (this.#single?.share !== undefined) this.#single.share.alone = false
    this.#single = alone ? record : undefined
    record.share = { limit, alone, bytes: this.#options.bytesOf(record) }
    this.#count++
    this.#bytes += record.share.bytes
  }

  ended(record: Record): void {
    this.#end(record)
    this.#sendNext()
  }

  refused(record: Record): void {
    // One refusal of many records, or of several batches, lowers it once.
    if (record.share?.limit === this.#limit) {
      this.#limit = Math.max(1, Math.floor(this.#limit / 2))
      this.announce()
    }
    this.#end(record)
    this.#retries.push(record)
    this.#sendNext()
  }

  announce(): void {
    this.#options.lowered(this.#name, this.#limit)
  }

  #end(record: Record): void {
    if (record.share === undefined) return
    this.#count--
    this.#bytes -= record.share.bytes
    if (this.#single === record) this.#single = undefined
    record.share = undefined
  }

  #hasRoom(record: Record): boolean {
    return this.#count === 0 || this.#bytes + this.#options.bytesOf(record) <= this.#limit
  }

  #sendNext(): void {
    for (;;) {
      const queue = this.#retries.length > 0 ? this.#retries : this.#waiting
      const [next] = queue
      if (next === undefined || !this.#hasRoom(next)) return
      queue.shift()
      this.begin(next)
      this.#options.send(next)
    }
  }
}
