import { randomUUID } from 'node:crypto'
import { HeadgateError } from '../contract/errors.js'
import type { Position, Receipt, RecordLog, SinkRecord, Target } from '../contract/index.js'
import type { FailedAckStore, KeptAck } from '../inbox/failed-ack-store.js'
import type { FailureReason, StoredAck } from '../ledger/rows.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import { failedAckRecord } from './failed-ack.js'
import { findLetters } from './find.js'
import { History, noteRecord } from './notes.js'

export interface FailedAckTopicOptions {
  readonly pipeline: string
  readonly revision: string
  readonly mac: RecordMac
  /** As `dlq` uses it: undefined if nothing is to be proven. */
  readonly proof: RecordMac | undefined
  /** The target of dead letters. */
  readonly target: Target
  readonly log: RecordLog | undefined
  send(record: SinkRecord): Promise<Receipt>
  /** The post-commit stages of the present config, in their order. */
  readonly stages: readonly { readonly name: string; readonly plugin: string }[]
}

/** A note stays far below the size limit of a record. */
const MOST_POSITIONS = 1000

/** The failed acknowledgements of a pipeline in its topic for dead letters, beside the dead letters themselves. */
export class FailedAckTopic implements FailedAckStore {
  readonly #options: FailedAckTopicOptions
  /** Names this process in its notes. */
  readonly #run = randomUUID()
  /** The notes that `stillOpen` has read, by partition. */
  readonly #histories = new Map<number, History>()
  #notes = 0

  constructor(options: FailedAckTopicOptions) {
    this.#options = options
  }

  keep(failed: StoredAck, reason: FailureReason): Promise<Position> {
    const { send, stages, ...origin } = this.#options
    const { name: stage, plugin } = stages[failed.stage] ?? { name: '', plugin: '' }
    return send(failedAckRecord({ ...origin, stage, plugin }, failed, reason))
  }

  async open(): Promise<readonly KeptAck[]> {
    const { target, pipeline, proof, stages } = this.#options
    const { letters } = await findLetters({
      log: this.#log(),
      topic: target.topic,
      pipeline,
      proof,
      filter: { isFailedAck: true },
      includeSettled: false,
      onProgress() {},
    })
    return letters.flatMap(({ letter, status }) => {
      const { topic, partition, offset, timestamp, stage, code, message, failedAck } = letter
      if (failedAck === undefined) return []
      const index = stages.findIndex(({ name }) => name === stage)
      return {
        position: { topic, partition, offset },
        committed: failedAck,
        stage: index === -1 ? undefined : index,
        reason: { code, message },
        failedAt: timestamp,
        isProven: status.kind !== 'unknown',
      }
    })
  }

  async stillOpen(positions: readonly Position[]): Promise<readonly Position[]> {
    const { pipeline, proof, target } = this.#options
    const oldestFirst = [...positions].sort((one, other) => one.offset - other.offset)
    for (const { partition, offset } of oldestFirst)
      if (!this.#histories.has(partition))
        this.#histories.set(partition, new History(pipeline, offset, proof))
    const from = [...this.#histories].map(([partition, { next }]) => ({
      topic: target.topic,
      partition,
      offset: next,
    }))
    await this.#log().read(from, (record) => void this.#histories.get(record.partition)?.add(record))
    return positions.filter(({ partition, offset }) => !this.#histories.get(partition)?.isSettled(offset))
  }

  async acknowledged(positions: readonly Position[]): Promise<void> {
    const { pipeline, proof, send } = this.#options
    const partitions = new Map<number, Position[]>()
    for (const position of positions)
      partitions.set(position.partition, [...(partitions.get(position.partition) ?? []), position])
    for (const [partition, ofPartition] of partitions)
      for (let at = 0; at < ofPartition.length; at += MOST_POSITIONS) {
        const batch = ofPartition.slice(at, at + MOST_POSITIONS)
        const offsets = batch.map(({ offset }) => offset)
        const { topic } = batch[0] as Position
        const note = { kind: 'acknowledged', run: this.#run, offsets } as const
        await send(noteRecord({ topic, partition, pipeline }, note, this.#notes++, proof))
      }
  }

  #log(): RecordLog {
    const { log } = this.#options
    if (log === undefined)
      throw new HeadgateError('HG_PLUGIN_FAILED', 'The sink cannot read its own records.')
    return log
  }
}
