/** A record that is sent again if its batch was refused. */
export interface Batched {
  readonly topic: string
  /** Set here, for records of a topic that has a limit. */
  share: Share | undefined
}

/** What was under way for its topic when a record was sent. */
interface Share {
  readonly bytes: number
  readonly limit: number
  /** Nothing else of the topic has been under way together with it. */
  alone: boolean
}

/**
 * Splits what is sent to topics whose brokers refused a batch for its size. The client makes batches of what is under way
 * for a partition, so a batch is as small as that is. Each refusal halves the limit of its topic. A record that was alone
 * when it was refused is too large itself; of any other it cannot be told, and it is sent again.
 */
export interface BatchLimits<Record extends Batched> {
  /** False if it was queued: then it is sent later. Called for every record. */
  admit(record: Record): boolean
  /** A record that was sent is under way no more. Sends what there is room for then. */
  ended(record: Record): void
  /**
   * The batch of a record was refused for its size. False if it was alone: no smaller batch has it. Otherwise it is sent
   * again. `underWay`: all records that have not ended.
   */
  refused(record: Record, underWay: Iterable<Record>): boolean
  /** Forgets what is queued. */
  clear(): void
}

export interface BatchLimitsOptions<Record> {
  /** Bytes that the client puts into a batch. It sends a larger record by itself. */
  readonly batchSize: number
  bytesOf(record: Record): number
  send(record: Record): void
  /** A topic takes only batches of fewer bytes. */
  lowered(topic: string, limit: number): void
}

interface Topic<Record> {
  limit: number
  bytes: number
  count: number
  /** The only one that is under way. */
  single: Record | undefined
  /** Sent before, and refused with others: these go first. */
  readonly again: Record[]
  readonly waiting: Record[]
}

export function createBatchLimits<Record extends Batched>({
  batchSize,
  bytesOf,
  send,
  lowered,
}: BatchLimitsOptions<Record>): BatchLimits<Record> {
  const topics = new Map<string, Topic<Record>>()

  function begin(topic: Topic<Record>, record: Record, limit = topic.limit): void {
    const alone = topic.count === 0
    if (topic.single?.share !== undefined) topic.single.share.alone = false
    topic.single = alone ? record : undefined
    record.share = { limit, alone, bytes: bytesOf(record) }
    topic.count++
    topic.bytes += record.share.bytes
  }

  function end(topic: Topic<Record>, record: Record): void {
    if (record.share === undefined) return
    topic.count--
    topic.bytes -= record.share.bytes
    if (topic.single === record) topic.single = undefined
    record.share = undefined
  }

  const hasRoom = ({ count, bytes, limit }: Topic<Record>, record: Record): boolean =>
    count === 0 || bytes + bytesOf(record) <= limit

  /** Everything that is under way was sent without a limit, so its refusal says nothing of the new one. */
  function limit(name: string, underWay: Iterable<Record>): Topic<Record> {
    const topic = {
      limit: Math.floor(batchSize / 2),
      bytes: 0,
      count: 0,
      single: undefined,
      again: [],
      waiting: [],
    }
    topics.set(name, topic)
    for (const record of underWay) if (record.topic === name) begin(topic, record, batchSize)
    lowered(name, topic.limit)
    return topic
  }

  function sendNext(topic: Topic<Record>): void {
    for (;;) {
      const queue = topic.again.length > 0 ? topic.again : topic.waiting
      const [next] = queue
      if (next === undefined || !hasRoom(topic, next)) return
      queue.shift()
      begin(topic, next)
      send(next)
    }
  }

  return {
    admit(record) {
      if (topics.size === 0) return true
      const topic = topics.get(record.topic)
      if (topic === undefined) return true
      if (topic.again.length + topic.waiting.length > 0 || !hasRoom(topic, record)) {
        topic.waiting.push(record)
        return false
      }
      begin(topic, record)
      return true
    },
    ended(record) {
      if (record.share === undefined) return
      const topic = topics.get(record.topic)
      if (topic === undefined) return
      end(topic, record)
      sendNext(topic)
    },
    refused(record, underWay) {
      const { share } = record
      if (share?.alone === true || bytesOf(record) >= batchSize) return false
      const topic = topics.get(record.topic) ?? limit(record.topic, underWay)
      // One refusal of many records, or of several batches, lowers it once.
      if (share?.limit === topic.limit) {
        topic.limit = Math.max(1, Math.floor(topic.limit / 2))
        lowered(record.topic, topic.limit)
      }
      end(topic, record)
      topic.again.push(record)
      sendNext(topic)
      return true
    },
    clear: () => topics.clear(),
  }
}
