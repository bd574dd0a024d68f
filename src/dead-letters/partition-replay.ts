import { HeadgateError } from '../contract/errors.js'
import type { Receipt, RecordLog, SinkRecord } from '../contract/index.js'
import { endsWithin } from '../lib/async.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import { readUntil } from './find.js'
import type { DeadLetter } from './letter.js'
import { type Claim, type History, type Note, noteRecord } from './notes.js'

/** A process that replays or discards. */
export interface Run {
  readonly id: string
  /** Names the process for people. */
  readonly by: string
}

/** A dead letter that a run has claimed, without a note on how that ended. */
export interface InDoubt {
  readonly letter: DeadLetter
  readonly claim: Claim
}

export interface RunOptions {
  readonly log: RecordLog
  send(record: SinkRecord): Promise<Receipt>
  readonly pipeline: string
  readonly topic: string
  readonly run: Run
  /** Proves the notes that the run writes. */
  readonly proof?: RecordMac | undefined
  /** The notes of each partition, as far as they have been read. */
  readonly histories: ReadonlyMap<number, History>
  readonly letters: readonly DeadLetter[]
  /** Aborted when nothing more is to be written. */
  readonly signal: AbortSignal
  /** Milliseconds for which a claim is good, and after which an unconfirmed note ends the run. */
  readonly sendWithin: number
  /** An earlier run has not noted how it ended for these; the run waits so many milliseconds for it. */
  onInDoubt(inDoubt: readonly InDoubt[], wait: number): void
  /** Counts the letters that need nothing more. */
  onProgress(done: number, total: number): void
}

/** The reason of a run that ended because it was stopped. */
export const STOPPED = 'it was stopped'

/** The letters of a run, by how they have ended so far. */
export interface Tally {
  delivered: number
  /** Settled by other runs since the selection, or by an earlier run that ended before its note. */
  settledByOthers: number
  /** Could not be sent, and are still open. */
  readonly failed: { readonly letter: DeadLetter; readonly why: string }[]
  /** May have been sent; the next replay finds out. */
  readonly inDoubt: DeadLetter[]
  /** In doubt for good: left alone. */
  readonly unknown: DeadLetter[]
}

export const newTally = (): Tally => ({
  delivered: 0,
  settledByOthers: 0,
  failed: [],
  inDoubt: [],
  unknown: [],
})

/** One partition of the dead-letter topic while some of it is replayed or discarded. */
export class PartitionReplay {
  readonly partition: number
  readonly history: History
  /** Letters that are still to be settled, in the order of the offsets. */
  queue: readonly DeadLetter[]
  readonly #options: RunOptions
  #notes = 0

  constructor(options: RunOptions, history: History, queue: readonly DeadLetter[], partition: number) {
    this.#options = options
    this.history = history
    this.queue = queue
    this.partition = partition
  }

  /** Resolves once the note is durable, and all records before it have been read. */
  async write(note: Note): Promise<void> {
    const { log, send, pipeline, topic, proof, sendWithin } = this.#options
    const { partition, history } = this
    const sending = send(noteRecord({ topic, partition, pipeline }, note, this.#notes++, proof))
    // The note may still arrive later. That does no harm: no record is found for a claim for which nothing was sent.
    if (!(await endsWithin(sending, sendWithin)))
      throw new HeadgateError(
        'HG_KAFKA_UNAVAILABLE',
        `Kafka has not confirmed a note in the dead-letter topic within ${sendWithin / 1000} s.`,
      )
    const { offset } = await sending
    await readUntil(log, this.#next(), (record) => {
      history.add(record)
      return record.offset >= offset
    })
    if (history.next <= offset)
      throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'A note in the dead-letter topic cannot be read back.')
  }

  /** Reads the records since the last read. */
  catchUp(): Promise<void> {
    return this.#options.log.read([this.#next()], (record) => void this.history.add(record))
  }

  /** Names the run that has begun after ours, if it has been read already. */
  successor(): string | undefined {
    const { current } = this.history
    return current?.run === this.#options.run.id ? undefined : (current?.by ?? 'somebody')
  }

  #next() {
    return { topic: this.#options.topic, partition: this.partition, offset: this.history.next }
  }
}

/** One for each partition in which there are letters to settle. */
export function partitionReplays(options: RunOptions): PartitionReplay[] {
  const inOrder = [...options.histories].sort(([a], [b]) => a - b)
  return inOrder.flatMap(([partition, history]) => {
    const queue = options.letters.filter((letter) => letter.partition === partition)
    queue.sort((a, b) => a.offset - b.offset)
    return queue.length === 0 ? [] : [new PartitionReplay(options, history, queue, partition)]
  })
}
