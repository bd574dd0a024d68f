import type { LoggedRecord, Position, Receipt, SinkRecord } from '../../plugin.js'
import { HEADER } from '../header-names.js'

/**
 * What a replay or a discard writes into the partition of the dead letters that it settles, so that every later one knows of it:
 * the partition holds both, and what is younger is kept longer.
 */
export type Note =
  /** From here on only this run may claim. */
  | { readonly kind: 'begun'; readonly run: string; readonly by: string }
  /** The run is about to send these; their records cannot be before `from`. */
  | {
      readonly kind: 'claimed'
      readonly run: string
      readonly offsets: readonly number[]
      readonly from: readonly Position[]
    }
  /** What became of claimed ones: where the delivered ones are, and which were certainly not sent. */
  | {
      readonly kind: 'settled'
      readonly run: string
      readonly delivered: readonly { readonly offset: number; readonly receipt: Receipt }[]
      readonly released: readonly number[]
    }
  /** These are settled without a record, if no other run has begun before this note. */
  | {
      readonly kind: 'discarded'
      readonly run: string
      readonly reason: string
      readonly offsets: readonly number[]
    }

/** `number` tells the notes of a run apart: a compacted topic must not take one for a newer version of another. */
export function noteRecord(
  at: { readonly topic: string; readonly partition: number; readonly pipeline: string },
  note: Note,
  number: number,
): SinkRecord {
  const { kind, ...said } = note
  return {
    target: { topic: at.topic, partition: at.partition },
    key: Buffer.from(`${HEADER.replay}/${note.run}/${number}`),
    value: Buffer.from(JSON.stringify(said)),
    headers: [
      { name: HEADER.replay, value: kind },
      { name: HEADER.pipeline, value: at.pipeline },
    ],
  }
}

/** Undefined where a record is not a note on a replay of this pipeline. */
export function noteOf(record: LoggedRecord, pipeline: string): Note | undefined {
  const kind = record.header(HEADER.replay)
  if (kind === undefined || record.header(HEADER.pipeline) !== pipeline) return undefined
  return { kind, ...JSON.parse(record.value.toString()) } as Note
}
