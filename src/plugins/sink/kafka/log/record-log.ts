import { setTimeout as delay } from 'node:timers/promises'
import { HeadgateError } from '../../../../contract/errors.js'
import type {
  FormerTopics,
  LoggedRecord,
  LogPartition,
  OffsetRange,
  Position,
  RecordLog,
  Target,
} from '../../../../contract/index.js'
import { logUnavailable } from '../failures.js'
import { acknowledgedPositions, formerTopics } from '../inbox/former-topics.js'
import type { Use } from '../properties.js'
import { type Consumer, END, START, type TopicPartition } from './consumer.js'
import type { LogReader } from './log-reader.js'
import { hasTail, isUnread, readRanges, type OffsetRange as UnreadRange } from './read.js'

/**
 * Milliseconds. When a process was killed or a session given up, requests of it may still be in the network, or in a
 * broker that is frozen: it appends them when it goes on, which is when it responds to us. So the end is checked again
 * after a response.
 */
const SETTLE = 300
/** If other producers write too, the end keeps moving. Our own late records arrive long before this check. */
const CHECKS = 10

export interface RecordLogOptions {
  /** The targets that records of the pipeline can have. */
  targets(): readonly Target[]
  fence(): Promise<void>
  /** The identities of topics, as `RecordLog` has them. */
  identify: NonNullable<RecordLog['identify']>
  readonly group: string
  readonly reader: LogReader
  readonly hasInbox: boolean
}

/** The log of the sink. */
export class KafkaRecordLog implements RecordLog {
  readonly #options: RecordLogOptions
  readonly #closing = new AbortController()
  readonly #reading = new Set<Promise<void>>()
  #hadInbox = false

  constructor(options: RecordLogOptions) {
    this.#options = options
  }

  /** Connects in advance, before the first request. */
  connect(): void {
    // It sends the same requests, because a client connects to leaders and coordinator only when it needs them. An
    // error is ignored: later requests report it.
    this.partitions().catch(() => {})
  }

  fence(): Promise<void> {
    return this.#options.fence()
  }

  identify: NonNullable<RecordLog['identify']> = (topics) => this.#options.identify(topics)

  async partitions(also: readonly TopicPartition[] = []): Promise<LogPartition[]> {
    this.#requireOpen()
    const { reader, group } = this.#options
    const { wanted, starts, ends } = await reader.requests.use(async (consumer) => {
      const own = await this.#partitionsOfTargets(consumer)
      const wanted = [...own, ...(await othersOf(consumer, own, also))]
      const [starts, ends] = await Promise.all([
        consumer.offsets(wanted, START),
        consumer.offsets(wanted, END),
      ])
      return { wanted, starts, ends }
    })
    const committed = await reader.groups.committed(group, wanted)
    return wanted.map(({ topic, partition }, index) => ({
      topic,
      partition,
      start: starts[index]?.offset ?? 0,
      end: ends[index]?.offset ?? 0,
      committed: committed[index]?.offset,
    }))
  }

  offsetsAt(timestamp: number): Promise<Position[]> {
    return this.#options.reader.requests.use(async (consumer) => {
      const own = await this.#partitionsOfTargets(consumer)
      const [ends, found] = await Promise.all([consumer.offsets(own, END), consumer.offsets(own, timestamp)])
      return found.map((position, index) => (position.offset < 0 ? (ends[index] ?? position) : position))
    })
  }

  read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void> {
    return this.#untilClosed(this.#read(from, visit))
  }

  readBetween(ranges: readonly OffsetRange[], visit: (record: LoggedRecord) => void): Promise<void> {
    return this.#untilClosed(this.#readBetween(ranges, visit))
  }

  async formerTopics(present: readonly string[]): Promise<FormerTopics | undefined> {
    this.#requireOpen()
    const { group, reader } = this.#options
    return await formerTopics({ group, reader, present, signal: this.#closing.signal })
  }

  async commit(positions: readonly Position[]): Promise<void> {
    this.#requireOpen()
    const { reader, group } = this.#options
    if (positions.length > 0) await reader.groups.commit(group, positions.map(positionOf))
  }

  /** Ends the reads in flight, which then reject. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#reading)
  }

  async #untilClosed(reading: Promise<void>): Promise<void> {
    this.#reading.add(reading)
    await reading.finally(() => this.#reading.delete(reading))
  }

  async #readBetween(ranges: readonly OffsetRange[], visit: (record: LoggedRecord) => void): Promise<void> {
    this.#requireOpen()
    const { reader, group } = this.#options
    const use = await this.#use()
    const unread = ranges.map(({ topic, partition, offset, end }) => ({
      topic,
      partition,
      next: offset,
      end,
    }))
    const isWithin = ({ topic, partition, offset }: Position) =>
      ranges.some((range) => range.topic === topic && range.partition === partition && offset < range.end)
    const visitWithin = (record: LoggedRecord) => {
      if (isWithin(record)) visit(record)
    }
    await reader.read(() =>
      using(reader.open(group, use), async (consumer) =>
        readRanges(await consumer, unread, visitWithin, this.#closing.signal),
      ),
    )
  }

  async #partitionsOfTargets(consumer: Consumer): Promise<TopicPartition[]> {
    const { targets, hasInbox } = this.#options
    const all = targets()
    if (!hasInbox) return partitionsOf(consumer, all)
    // With an inbox, events for a missing topic wait there, and the others go on.
    const topics = [...new Set(all.map(({ topic }) => topic))]
    const counts = await Promise.all(topics.map((topic) => consumer.partitions(topic)))
    return partitionsOf(
      consumer,
      all.filter(({ topic }) => counts[topics.indexOf(topic)] !== 0),
    )
  }

  async #read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void> {
    const { reader } = this.#options
    const ranges = await reader.requests.use((consumer) => rangesOf(consumer, from))
    if (ranges.length === 0) return
    await reader.read(() => this.#readTo(ranges, visit))
  }

  async #readTo(ranges: UnreadRange[], visit: (record: LoggedRecord) => void): Promise<void> {
    this.#requireOpen()
    const { reader, group } = this.#options
    const use = await this.#use()
    const { signal } = this.#closing
    let respondedAt = performance.now()
    const readOn = () =>
      using(reader.open(group, use), async (consumer) => {
        await readRanges(await consumer, ranges, visit, signal)
        respondedAt = performance.now()
      })
    await using(reader.open(group, 'probing'), async (prober) => {
      if (ranges.some(isUnread)) await readOn()
      // A client connects to a leader with its first request: now there is time for that.
      await (await prober).offsets(ranges, END)
      for (let check = 1; check <= CHECKS; check++) {
        await delay(respondedAt + SETTLE - performance.now())
        if (!(await hasTail(await prober, ranges, signal))) return
        const ends = await (await prober).offsets(ranges, END)
        for (const [index, range] of ranges.entries()) range.end = ends[index]?.offset ?? range.end
        await readOn()
      }
    })
  }

  /**
   * Records of aborted transactions are left out if there can be any. Otherwise, an open transaction of another program must not
   * keep the records behind it from being read.
   */
  async #use(): Promise<Use> {
    const { hasInbox } = this.#options
    this.#hadInbox ||= hasInbox || (await acknowledgedPositions({ ...this.#options, present: [] })).length > 0
    return this.#hadInbox ? 'reading-committed' : 'reading'
  }

  /** The clients stay open for other pipelines. */
  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw logUnavailable('this sink is stopping')
  }
}

/** The ranges to read. A position that is beyond the end stays there: the end may be that of a leader of the past. */
async function rangesOf(consumer: Consumer, from: readonly Position[]): Promise<UnreadRange[]> {
  if (from.length === 0) return []
  const [starts, ends] = await Promise.all([consumer.offsets(from, START), consumer.offsets(from, END)])
  return from.map(({ topic, partition, offset }, index) => ({
    topic,
    partition,
    next: Math.max(offset, starts[index]?.offset ?? 0),
    end: ends[index]?.offset ?? 0,
  }))
}

/** Each partition once: the one of a target, or all of its topic. */
async function partitionsOf(consumer: Consumer, targets: readonly Target[]): Promise<TopicPartition[]> {
  const numbers = new Map<string, Set<number>>()
  for (const { topic } of targets) numbers.set(topic, new Set())
  for (const [topic, partitions] of numbers) {
    const onTopic = targets.filter((target) => target.topic === topic)
    const fixed = onTopic.flatMap(({ partition }) => partition ?? [])
    for (const partition of fixed.length === onTopic.length ? fixed : await allOf(consumer, topic))
      partitions.add(partition)
  }
  return [...numbers].flatMap(([topic, partitions]) =>
    [...partitions].map((partition) => ({ topic, partition })),
  )
}

/** Those of `also` that are not among `own` and still exist. */
async function othersOf(
  consumer: Consumer,
  own: readonly TopicPartition[],
  also: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  const others = also.filter((other) => !own.some((one) => isSame(one, other)))
  const counts = new Map<string, number>()
  for (const { topic } of others) {
    if (!counts.has(topic)) counts.set(topic, await consumer.partitions(topic))
  }
  return others
    .filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
    .map(({ topic, partition }) => ({ topic, partition }))
}

const isSame = (one: TopicPartition, other: TopicPartition): boolean =>
  one.topic === other.topic && one.partition === other.partition

async function allOf(consumer: Consumer, topic: string): Promise<number[]> {
  const count = await consumer.partitions(topic)
  if (count === 0) throw new HeadgateError('HG_KAFKA_TOPIC_MISSING', `Topic "${topic}" does not exist.`)
  return Array.from({ length: count }, (_, partition) => partition)
}

/** `task` may do other work while the consumer connects. */
async function using(
  opening: Promise<Consumer>,
  task: (consumer: Promise<Consumer>) => Promise<void>,
): Promise<void> {
  opening.catch(() => {})
  try {
    await task(opening)
  } finally {
    await opening.then((consumer) => consumer.close()).catch(() => {})
  }
}

const positionOf = ({ topic, partition, offset }: Position): Position => ({ topic, partition, offset })
