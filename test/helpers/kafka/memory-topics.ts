import type {
  LoggedRecord,
  LogPartition,
  Position,
  Receipt,
  RecordHeader,
  RecordLog,
  SinkRecord,
} from '../../../src/contract/index.js'

interface Kept {
  readonly key: Buffer | null
  readonly value: Buffer
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
}

/**
 * Topics in memory, with the operations of a sink: several processes can share one. Records without a partition go
 * into 0.
 */
export interface MemoryTopics {
  readonly log: RecordLog
  send(record: SinkRecord): Promise<Receipt>
  /** The records of a topic, oldest first, across its partitions. */
  records(topic: string): LoggedRecord[]
  /** Drops older records. */
  trim(topic: string, partition: number, start: number): void
}

export function memoryTopics(partitions: { readonly [topic: string]: number }): MemoryTopics {
  const kept = new Map<string, (Kept | undefined)[]>()
  for (const [topic, count] of Object.entries(partitions))
    for (let partition = 0; partition < count; partition++) kept.set(`${topic} ${partition}`, [])
  const at = (topic: string, partition: number) => {
    const records = kept.get(`${topic} ${partition}`)
    if (records === undefined) throw new Error(`There is no partition ${partition} of ${topic}.`)
    return records
  }
  const places = () =>
    [...kept.keys()].map((name) => {
      const [topic = '', partition = ''] = name.split(' ')
      return { topic, partition: Number(partition) }
    })
  const start = (records: readonly (Kept | undefined)[]) => {
    const first = records.findIndex((record) => record !== undefined)
    return first === -1 ? records.length : first
  }

  const log: RecordLog = {
    fence: async () => {},
    partitions: async (): Promise<LogPartition[]> =>
      places().map(({ topic, partition }) => {
        const records = at(topic, partition)
        return { topic, partition, start: start(records), end: records.length, committed: undefined }
      }),
    offsetsAt: async (timestamp): Promise<Position[]> =>
      places().map(({ topic, partition }) => {
        const records = at(topic, partition)
        const found = records.findIndex((record) => record !== undefined && record.timestamp >= timestamp)
        return { topic, partition, offset: found === -1 ? records.length : found }
      }),
    async read(from, visit) {
      for (const { topic, partition, offset: first } of from) {
        for (const [offset, record] of at(topic, partition).entries()) {
          if (offset < first || record === undefined) continue
          visit(logged({ topic, partition, offset }, record))
        }
      }
    },
    async readBetween(ranges, visit) {
      for (const { topic, partition, offset: first, end } of ranges) {
        for (const [offset, record] of at(topic, partition).slice(0, end).entries()) {
          if (offset < first || record === undefined) continue
          visit(logged({ topic, partition, offset }, record))
        }
      }
    },
    commit: async () => {},
  }
  return {
    log,
    async send({ target: { topic, partition = 0 }, key, value, headers }) {
      const offset = at(topic, partition).push({ key, value, headers, timestamp: Date.now() }) - 1
      return { topic, partition, offset }
    },
    records: (topic) =>
      places()
        .filter((place) => place.topic === topic)
        .flatMap(({ partition }) =>
          at(topic, partition).flatMap((record, offset) =>
            record === undefined ? [] : [logged({ topic, partition, offset }, record)],
          ),
        ),
    trim(topic, partition, offset) {
      at(topic, partition).fill(undefined, 0, offset)
    },
  }
}

const logged = (position: Position, { key, value, headers, timestamp }: Kept): LoggedRecord => ({
  ...position,
  timestamp,
  key,
  value,
  header: (name) => headers.find((header) => header.name === name)?.value,
  headers: () => headers,
})
