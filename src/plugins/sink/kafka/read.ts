import type { Message } from 'node-rdkafka'
import type { LoggedRecord, RecordHeader } from '../../../contract/index.js'
import type { Batch, Consumer } from './consumer.js'
import { logUnavailable } from './failures.js'

/** Milliseconds without progress after which reading is given up: a partition may have lost its leader. */
const PATIENCE = 10_000
/** A batch is turned into objects and visited in one go: other work waits for so long. */
const MOST_RECORDS = 100
const MOST_BYTES = 4 * 1024 * 1024

/** A part of a partition that is to be read: from `next`, which moves along, at least up to `end`. */
export interface Stretch {
  readonly topic: string
  readonly partition: number
  next: number
  end: number
}

/**
 * Visits what stands in these stretches, and what comes behind one while others are being read; moves their `next` along.
 * Rejects when nothing comes any more, or when `signal` is aborted.
 */
export async function readStretches(
  consumer: Consumer,
  stretches: readonly Stretch[],
  visit: (record: LoggedRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  let unread = stretches.filter(isUnread)
  const find = finder(unread)
  if (unread.length > 0) {
    consumer.assign(unread.map(({ topic, partition, next }) => ({ topic, partition, offset: next })))
  }

  /** Whether one of the stretches that are not read yet came closer to its end. */
  function take({ messages, ends }: Batch): boolean {
    let progress = false
    for (const message of messages) {
      const stretch = find(message.topic, message.partition)
      // After a loss of records librdkafka starts over at the oldest one that is left.
      if (stretch === undefined || message.offset < stretch.next) continue
      progress ||= isUnread(stretch)
      stretch.next = message.offset + 1
      visit(new ReadRecord(message))
    }
    for (const { topic, partition, offset } of ends) {
      const stretch = find(topic, partition)
      if (stretch === undefined || offset <= stretch.next) continue
      // Offsets without a record (transaction markers, what compaction removed) are passed only at the end.
      progress ||= isUnread(stretch)
      stretch.next = offset
    }
    return progress
  }

  let count = 1
  let progressAt = performance.now()
  while (unread.length > 0) {
    if (signal.aborted) throw logUnavailable('Headgate is shutting down')
    const batch = await consumer.consume(count)
    count = sizeOfNext(batch.messages) ?? count
    if (take(batch)) {
      unread = unread.filter(isUnread)
      progressAt = performance.now()
    } else if (performance.now() - progressAt > PATIENCE) {
      const places = unread.map(({ topic, partition }) => `partition ${partition} of topic "${topic}"`)
      throw logUnavailable(`nothing has come for ${PATIENCE / 1000} s from ${places.join(', ')}`)
    }
  }
}

export const isUnread = ({ next, end }: Stretch): boolean => next < end

/** Looks stretches up without making a key for each record. */
function finder(stretches: readonly Stretch[]): (topic: string, partition: number) => Stretch | undefined {
  const topics = new Map<string, Map<number, Stretch>>()
  for (const stretch of stretches) {
    const partitions = topics.get(stretch.topic) ?? new Map<number, Stretch>()
    topics.set(stretch.topic, partitions.set(stretch.partition, stretch))
  }
  return (topic, partition) => topics.get(topic)?.get(partition)
}

/** How many records of the present size are a batch. */
function sizeOfNext(messages: readonly Message[]): number | undefined {
  if (messages.length === 0) return undefined
  const bytes = messages.reduce((sum, { size }) => sum + size, messages.length)
  return Math.max(1, Math.min(MOST_RECORDS, Math.floor((MOST_BYTES * messages.length) / bytes)))
}

class ReadRecord implements LoggedRecord {
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
