import type { Message } from 'node-rdkafka'
import type { LoggedRecord, RecordHeader } from '../../../../contract/index.js'
import { logUnavailable } from '../failures.js'
import type { Batch, Consumer, TopicPartition } from './consumer.js'

/**
 * Milliseconds without progress after which reading is given up: a partition may have lost its leader. The replicas have the
 * same time to confirm the records that their leader has.
 */
const PATIENCE = 10_000
/** A batch is turned into objects and visited in one go, and other work waits for that. */
const MOST_RECORDS = 100
const MOST_BYTES = 4 * 1024 * 1024

/** A part of a partition that is to be read: from `next`, which moves along, at least up to `end`. */
export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  next: number
  end: number
}

/**
 * Visits the records in these ranges, and those that come after one while others are being read; moves their `next` along.
 * Rejects when nothing comes any more, or when `signal` is aborted.
 */
export async function readRanges(
  consumer: Consumer,
  ranges: readonly OffsetRange[],
  visit: (record: LoggedRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  let unread = ranges.filter(isUnread)
  const find = finder(unread)
  if (unread.length > 0) {
    consumer.assign(unread.map(({ topic, partition, next }) => ({ topic, partition, offset: next })))
  }

  /** Returns whether one of the unread ranges came closer to its end. */
  function take({ messages, ends }: Batch): boolean {
    let progress = false
    for (const message of messages) {
      const range = find(message.topic, message.partition)
      // After a loss of records librdkafka starts again at the oldest one that is left.
      if (range === undefined || message.offset < range.next) continue
      progress ||= isUnread(range)
      range.next = message.offset + 1
      visit(new ReadRecord(message))
    }
    for (const { topic, partition, offset } of ends) {
      const range = find(topic, partition)
      if (range === undefined || offset <= range.next) continue
      // Offsets without a record (transaction markers, compacted records) are skipped only at the end.
      progress ||= isUnread(range)
      range.next = offset
    }
    return progress
  }

  let count = 1
  let progressAt = performance.now()
  while (unread.length > 0) {
    if (signal.aborted) throw logUnavailable('this sink is stopping')
    const batch = await consumer.consume(count)
    count = sizeOfNext(batch.messages) ?? count
    if (take(batch)) {
      unread = unread.filter(isUnread)
      progressAt = performance.now()
    } else if (performance.now() - progressAt > PATIENCE) {
      throw logUnavailable(`nothing has come for ${PATIENCE / 1000} s from ${unread.map(nameOf).join(', ')}`)
    }
  }
}

export const isUnread = ({ next, end }: OffsetRange): boolean => next < end

/** Looks ranges up without making a key for each record. */
function finder(
  ranges: readonly OffsetRange[],
): (topic: string, partition: number) => OffsetRange | undefined {
  const topics = new Map<string, Map<number, OffsetRange>>()
  for (const range of ranges) {
    const partitions = topics.get(range.topic) ?? new Map<number, OffsetRange>()
    topics.set(range.topic, partitions.set(range.partition, range))
  }
  return (topic, partition) => topics.get(topic)?.get(partition)
}

/** The number of records of the present size in a batch. */
function sizeOfNext(messages: readonly Message[]): number | undefined {
  if (messages.length === 0) return undefined
  const bytes = messages.reduce((sum, { size }) => sum + size, messages.length)
  return Math.max(1, Math.min(MOST_RECORDS, Math.floor((MOST_BYTES * messages.length) / bytes)))
}

/** A message of the Kafka client as a record. */
export class ReadRecord implements LoggedRecord {
  readonly #message: Message
  constructor(message: Message) {
    this.#message = message
  }
  get topic(): string {
    return this.#message.topic
  }
  get partition(): number {
    return this.#message.partition
  }
  get offset(): number {
    return this.#message.offset
  }
  get timestamp(): number {
    return this.#message.timestamp ?? 0
  }
  get key(): Buffer | null {
    const { key } = this.#message
    return key === null || key === undefined ? null : Buffer.from(key)
  }
  get value(): Buffer {
    return this.#message.value ?? Buffer.alloc(0)
  }
  header(name: string): string | undefined {
    for (const header of this.#message.headers ?? []) {
      const value = header[name]
      if (value !== undefined) return value.toString()
    }
    return undefined
  }
  headers(): readonly RecordHeader[] {
    return (this.#message.headers ?? []).flatMap((header) =>
      Object.entries(header).map(([name, value]) => ({ name, value: String(value) })),
    )
  }
}

/**
 * Whether a partition has anything after the records that were read of it, even records that its leader has appended and the
 * other replicas have not confirmed. Those are not below the end that a broker reports, and can become readable at any time.
 *
 * To a fetch of the offset at which it will append next, a broker responds with nothing; anything beyond is out of range.
 * It compares with the records that it has appended, not with the confirmed ones (Apache Kafka, LocalLog.read). So we ask for
 * the offset after the next one, with a consumer that goes on at the end if there is no such offset: if it gets to an end no
 * further than ours, that proves that there is nothing.
 *
 * Rejects when the replicas do not catch up, or when `signal` is aborted.
 */
export async function hasTail(
  consumer: Consumer,
  ranges: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<boolean> {
  const open = new Map(ranges.map((range) => [nameOf(range), range.next]))
  consumer.assign(ranges.map(({ topic, partition, next }) => ({ topic, partition, offset: next + 1 })))
  const deadline = performance.now() + PATIENCE
  while (open.size > 0) {
    if (signal.aborted) throw logUnavailable('this sink is stopping')
    if (performance.now() > deadline) {
      const names = [...open.keys()].join(', ')
      throw logUnavailable(
        `the replicas have not confirmed within ${PATIENCE / 1000} s what the leader has of ${names}`,
      )
    }
    const { messages, ends } = await consumer.consume(1)
    if (messages.length > 0) return true
    for (const end of ends) {
      if (end.offset > (open.get(nameOf(end)) ?? Number.POSITIVE_INFINITY)) return true
      open.delete(nameOf(end))
    }
  }
  return false
}

const nameOf = ({ topic, partition }: TopicPartition): string => `partition ${partition} of topic "${topic}"`
