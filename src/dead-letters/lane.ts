import { HeadgateError } from '../contract/errors.js'
import type { Receipt, RecordLog, SinkRecord } from '../contract/index.js'
import type { History } from './history.js'
import type { DeadLetter } from './letter.js'
import { type Note, noteRecord } from './note.js'
import { readUntil } from './read-until.js'
import { endsWithin } from './send-batch.js'

/** A process that replays. */
export interface Run {
  readonly id: string
  /** Who that is, for people. */
  readonly by: string
}

export interface LaneOptions {
  readonly log: RecordLog
  send(record: SinkRecord): Promise<Receipt>
  readonly pipeline: string
  readonly topic: string
  readonly run: Run
  /** Milliseconds for which a claim is good, and after which a note that is not confirmed ends the run. */
  readonly sendWithin: number
}

/** One partition of the dead-letter topic while some of it is replayed. */
export interface Lane {
  readonly partition: number
  readonly history: History
  /** What is still to be sent, in the order of the offsets. */
  queue: readonly DeadLetter[]
  /** Resolves once the note is durable, and all before it has been seen. */
  write(note: Note): Promise<void>
  /** Sees what has come since the last time. */
  catchUp(): Promise<void>
  /** Who has begun after us, as far as is known. */
  successor(): string | undefined
}

export function createLane(
  { log, send, pipeline, topic, run, sendWithin }: LaneOptions,
  history: History,
  queue: readonly DeadLetter[],
  partition: number,
): Lane {
  let notes = 0
  const next = () => ({ topic, partition, offset: history.next })
  return {
    partition,
    history,
    queue,
    async write(note) {
      const sending = send(noteRecord({ topic, partition, pipeline }, note, notes++))
      // It may still arrive later, and would be true then, too: a claim that nothing was sent for is looked for in vain.
      if (!(await endsWithin(sending, sendWithin)))
        throw new HeadgateError(
          'HG_KAFKA_UNAVAILABLE',
          `Kafka has not confirmed a note in the dead-letter topic within ${sendWithin / 1000} s.`,
        )
      const { offset } = await sending
      await readUntil(log, next(), (record) => {
        history.see(record)
        return record.offset >= offset
      })
      if (history.next <= offset)
        throw new HeadgateError(
          'HG_KAFKA_UNAVAILABLE',
          'A note in the dead-letter topic cannot be read back.',
        )
    },
    catchUp: () => log.read([next()], (record) => void history.see(record)),
    successor: () => (history.current?.run === run.id ? undefined : (history.current?.by ?? 'somebody')),
  }
}
