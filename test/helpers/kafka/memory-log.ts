import { HeadgateError } from '../../../src/contract/errors.js'
import type { LoggedRecord, LogPartition, Outcome, Position, RecordLog } from '../../../src/contract/index.js'
import { recordMac } from '../../../src/pipeline/record-mac.js'

interface Entry {
  readonly id: string
  readonly timestamp: number
  readonly headers: { readonly [name: string]: string }
  readonly value: Buffer
}

/** That of the records that are appended. */
export const MAC = recordMac('test')

/** A log with one partition, in memory, that outlives the ledgers of a test. */
export interface MemoryLog extends RecordLog {
  readonly records: Entry[]
  committed: number | undefined
  fences: number
  /** False if the config has no target in it any more. */
  isTarget: boolean
  /** Of the topic; undefined if it cannot be determined. */
  identity: string | undefined
  /** While set, everything rejects with it. */
  down: HeadgateError | undefined
  /** Writes a record as the sink does, with any further headers, and returns its outcome. */
  append(id: string, digest: string, pipeline?: string, more?: Entry['headers'], value?: Buffer): Outcome
}

export function memoryLog(): MemoryLog {
  const at = { topic: 'events', partition: 0 }
  const reachable = () => {
    if (log.down !== undefined) throw log.down
  }
  const log: MemoryLog = {
    records: [],
    committed: undefined,
    fences: 0,
    isTarget: true,
    identity: 'one',
    down: undefined,
    append(id, digest, pipeline = 'orders', more = {}, value = Buffer.from('{}')) {
      const origin = {
        'headgate-event-id': id,
        'headgate-digest': digest,
        'headgate-pipeline': pipeline,
        'headgate-mac': MAC.of(at.topic, id, digest),
      }
      const headers = { ...origin, ...more }
      const offset = log.records.push({ id, timestamp: Date.now(), headers, value }) - 1
      return { kind: 'delivered', id, receipt: { ...at, offset } }
    },
    async fence() {
      reachable()
      log.fences++
    },
    async partitions(also = []): Promise<LogPartition[]> {
      reachable()
      if (!log.isTarget && also.length === 0) return []
      return [{ ...at, start: 0, end: log.records.length, committed: log.committed }]
    },
    async identify(topics) {
      if (log.down?.code === 'HG_KAFKA_TOPIC_MISSING') throw log.down
      if (log.identity === undefined || log.down !== undefined) return undefined
      return new Map(topics.map((topic) => [topic, log.identity as string]))
    },
    async offsetsAt(timestamp): Promise<Position[]> {
      const found = log.records.findIndex((record) => record.timestamp >= timestamp)
      return [{ ...at, offset: found === -1 ? log.records.length : found }]
    },
    async read([from], visit) {
      reachable()
      if (from === undefined) return
      for (const [offset, { timestamp, headers, value }] of log.records.entries()) {
        if (offset >= from.offset)
          visit({
            ...at,
            offset,
            timestamp,
            key: null,
            value,
            header: (name) => headers[name],
          } as LoggedRecord)
      }
    },
    async readBetween([range], visit) {
      if (range === undefined) return
      await log.read([range], (record) => {
        if (record.offset < range.end) visit(record)
      })
    },
    async commit([position]) {
      reachable()
      log.committed = position?.offset
    },
  }
  return log
}

export const unreachable = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is not reachable.')
