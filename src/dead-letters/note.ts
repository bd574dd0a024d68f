import { checkShape } from '../config/shape.js'
import type { LoggedRecord, Position, Receipt, SinkRecord } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { Type } from '../lib/json/type.js'

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

/**
 * Undefined where a record is not a note on a replay of this pipeline. Anybody who may write to the topic can have written it, so
 * one that has not the form of a note is none.
 */
export function noteOf(record: LoggedRecord, pipeline: string): Note | undefined {
  const kind = record.header(HEADER.replay)
  if (kind === undefined || record.header(HEADER.pipeline) !== pipeline) return undefined
  const note: unknown = parsed(record.value, kind)
  return checkShape(FORM, note).length === 0 ? (note as Note) : undefined
}

function parsed(value: Buffer, kind: string): unknown {
  try {
    return { ...(JSON.parse(value.toString()) as object), kind }
  } catch {
    return undefined
  }
}

const Offset = Type.Integer({ minimum: 0 })
const Place = Type.Object({ topic: Type.String(), partition: Offset, offset: Offset })
const FORM = Type.Union([
  Type.Object({ kind: Type.Literal('begun'), run: Type.String(), by: Type.String() }),
  Type.Object({
    kind: Type.Literal('claimed'),
    run: Type.String(),
    offsets: Type.Array(Offset),
    from: Type.Array(Place),
  }),
  Type.Object({
    kind: Type.Literal('settled'),
    run: Type.String(),
    delivered: Type.Array(Type.Object({ offset: Offset, receipt: Place })),
    released: Type.Array(Offset),
  }),
  Type.Object({
    kind: Type.Literal('discarded'),
    run: Type.String(),
    reason: Type.String(),
    offsets: Type.Array(Offset),
  }),
])
