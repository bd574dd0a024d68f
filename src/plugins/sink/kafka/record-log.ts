import { setTimeout as delay } from 'node:timers/promises'
import { HeadgateError } from '../../../contract/errors.js'
import type { LoggedRecord, LogPartition, Position, RecordLog, Target } from '../../../contract/index.js'
import { type Consumer, END, type Place, START } from './consumer.js'
import type { Use } from './consumer-config.js'
import { logUnavailable } from './failures.js'
import type { GroupOffsets } from './group-offsets.js'
import { isUnread, readStretches, type Stretch } from './read.js'
import type { SharedConsumer } from './shared-consumer.js'
import { hasTail } from './tail.js'

/**
 * Milliseconds. When a process was killed or a session given up, requests of it may still be in the network, or in a
 * broker that is frozen: it appends them when it goes on, which is when it answers us. So the end is looked at again
 * after an answer.
 */
const SETTLE = 300
/** Where others write too, an end never stands still. What was still to come of ours is there long before this look. */
const LOOKS = 10

export interface RecordLogOptions {
  /** Where records of the pipeline can be. */
  targets(): readonly Target[]
  fence(): Promise<void>
  readonly group: string
  readonly reader: LogReader
}

/** What all logs of one cluster share, so that many pipelines do not take many clients. */
export interface LogReader {
  /** Asks for partitions and offsets. */
  readonly questions: SharedConsumer
  readonly groups: Pick<GroupOffsets, 'committed' | 'commit'>
  /** Waits for its turn: a few logs are read at a time. */
  read<Result>(task: () => Promise<Result>): Promise<Result>
  open(group: string, use: Use): Promise<Consumer>
}

/** The log of the sink. */
export interface KafkaRecordLog extends RecordLog {
  /** Connects already, for who is going to ask. */
  connect(): void
  /** Ends what is being read, which then rejects. */
  close(): Promise<void>
}

export function createRecordLog({ targets, fence, group, reader }: RecordLogOptions): KafkaRecordLog {
  const { questions, groups } = reader
  const open = (use: Use): Promise<Consumer> => reader.open(group, use)
  const closing = new AbortController()
  const reading = new Set<Promise<void>>()

  async function read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void> {
    const stretches = await questions.use((consumer) => stretchesOf(consumer, from))
    if (stretches.length === 0) return
    await reader.read(() => readTo(stretches, visit))
  }

  async function readTo(stretches: Stretch[], visit: (record: LoggedRecord) => void): Promise<void> {
    requireOpen()
    let answeredAt = performance.now()
    const readOn = () =>
      using(open('reading'), async (reader) => {
        await readStretches(await reader, stretches, visit, closing.signal)
        answeredAt = performance.now()
      })
    await using(open('probing'), async (prober) => {
      if (stretches.some(isUnread)) await readOn()
      // A client connects to a leader when it first asks it something: now there is time for that.
      await (await prober).offsets(stretches, END)
      for (let look = 1; look <= LOOKS; look++) {
        await delay(answeredAt + SETTLE - performance.now())
        if (!(await hasTail(await prober, stretches, closing.signal))) return
        const ends = await (await prober).offsets(stretches, END)
        for (const [index, stretch] of stretches.entries()) stretch.end = ends[index]?.offset ?? stretch.end
        await readOn()
      }
    })
  }

  /** The clients are those of other pipelines too, and go on. */
  function requireOpen(): void {
    if (closing.signal.aborted) throw logUnavailable('Headgate is shutting down')
  }

  async function partitions(also: readonly Place[] = []): Promise<LogPartition[]> {
    requireOpen()
    const asked = questions.use(async (consumer) => {
      const wanted = await placesOf(consumer, targets())
      const places = [...wanted, ...(await othersOf(consumer, wanted, also))]
      const [starts, ends] = await Promise.all([
        consumer.offsets(places, START),
        consumer.offsets(places, END),
      ])
      return { places, starts, ends }
    })
    const { places, starts, ends } = await asked
    const committed = await groups.committed(group, places)
    return places.map(({ topic, partition }, index) => ({
      topic,
      partition,
      start: starts[index]?.offset ?? 0,
      end: ends[index]?.offset ?? 0,
      committed: committed[index]?.offset,
    }))
  }

  return {
    connect() {
      // By asking what is going to be asked, for leaders and coordinator are connected to when they are needed. Who
      // asks while there is no connection is told why.
      partitions().catch(() => {})
    },
    fence,
    partitions,
    offsetsAt: (timestamp) =>
      questions.use(async (consumer) => {
        const places = await placesOf(consumer, targets())
        const [ends, found] = await Promise.all([
          consumer.offsets(places, END),
          consumer.offsets(places, timestamp),
        ])
        return found.map((position, index) => (position.offset < 0 ? (ends[index] ?? position) : position))
      }),
    async read(from, visit) {
      const done = read(from, visit)
      reading.add(done)
      await done.finally(() => reading.delete(done))
    },
    async commit(positions) {
      requireOpen()
      if (positions.length > 0) await groups.commit(group, positions.map(positionOf))
    },
    async close() {
      closing.abort()
      await Promise.allSettled(reading)
    },
  }
}

/** What there is to read. A position that is beyond the end stays there: the end may be that of a leader of the past. */
async function stretchesOf(consumer: Consumer, from: readonly Position[]): Promise<Stretch[]> {
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
async function placesOf(consumer: Consumer, targets: readonly Target[]): Promise<Place[]> {
  const numbers = new Map<string, Set<number>>()
  for (const { topic } of targets) numbers.set(topic, new Set())
  for (const [topic, partitions] of numbers) {
    const here = targets.filter((target) => target.topic === topic)
    const fixed = here.flatMap(({ partition }) => partition ?? [])
    for (const partition of fixed.length === here.length ? fixed : await allOf(consumer, topic))
      partitions.add(partition)
  }
  return [...numbers].flatMap(([topic, partitions]) =>
    [...partitions].map((partition) => ({ topic, partition })),
  )
}

/** Of `also`, what is not wanted anyway and still exists. */
async function othersOf(
  consumer: Consumer,
  wanted: readonly Place[],
  also: readonly Place[],
): Promise<Place[]> {
  const others = also.filter((place) => !wanted.some((one) => isSame(one, place)))
  const counts = new Map<string, number>()
  for (const { topic } of others) {
    if (!counts.has(topic)) counts.set(topic, await consumer.partitions(topic))
  }
  return others
    .filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
    .map(({ topic, partition }) => ({ topic, partition }))
}

const isSame = (one: Place, other: Place): boolean =>
  one.topic === other.topic && one.partition === other.partition

async function allOf(consumer: Consumer, topic: string): Promise<number[]> {
  const count = await consumer.partitions(topic)
  if (count === 0) throw new HeadgateError('HG_KAFKA_TOPIC_MISSING', `Topic "${topic}" does not exist.`)
  return Array.from({ length: count }, (_, partition) => partition)
}

/** `task` may do something else while the consumer connects. */
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
