import { shapeChecker } from '../config/shape.js'
import type { LoggedRecord, Position, Receipt, SinkRecord } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { Type } from '../lib/json/pointer.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import { PositionForm } from './failed-ack.js'
import { noteMac } from './proof.js'

/**
 * A note of a replay or a discard, written into the partition of the dead letters that it settles, so that every later run
 * knows of it: the partition holds both, and retention removes the older records first.
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
  /** How a claim ended: the receipts of the delivered ones, and the offsets of those that were certainly not sent. */
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
  /** These failed acknowledgements were made after all. No run claims them: an acknowledgement may be made twice. */
  | { readonly kind: 'acknowledged'; readonly run: string; readonly offsets: readonly number[] }

/**
 * `number` distinguishes the notes of a run: a compacted topic must not take one for a newer version of another. `proof`: with
 * it, the note proves who wrote it.
 */
export function noteRecord(
  at: { readonly topic: string; readonly partition: number; readonly pipeline: string },
  note: Note,
  number: number,
  proof?: RecordMac,
): SinkRecord {
  const { kind, ...content } = note
  const { topic, partition } = at
  const key = Buffer.from(`${HEADER.replay}/${note.run}/${number}`)
  const value = Buffer.from(JSON.stringify(content))
  const mac = proof && noteMac({ topic, partition, key, value }, kind, proof)
  return {
    target: { topic, partition },
    key,
    value,
    headers: [
      { name: HEADER.replay, value: kind },
      { name: HEADER.pipeline, value: at.pipeline },
      ...(mac === undefined ? [] : [{ name: HEADER.mac, value: mac }]),
    ],
  }
}

/**
 * Undefined if a record is not a note of this pipeline. Any producer with write access to the topic can have written
 * it, so a record without the form of a note does not count.
 */
export function noteOf(record: LoggedRecord, pipeline: string): Note | undefined {
  const kind = record.header(HEADER.replay)
  if (kind === undefined || record.header(HEADER.pipeline) !== pipeline) return undefined
  const note = parse(record.value, kind)
  return checkNote(note).length === 0 ? (note as Note) : undefined
}

function parse(value: Buffer, kind: string): unknown {
  try {
    return { ...(JSON.parse(value.toString()) as object), kind }
  } catch {
    return undefined
  }
}

const Offset = Type.Integer({ minimum: 0 })
const checkNote = shapeChecker(
  Type.Union([
    Type.Object({ kind: Type.Literal('begun'), run: Type.String(), by: Type.String() }),
    Type.Object({
      kind: Type.Literal('claimed'),
      run: Type.String(),
      offsets: Type.Array(Offset),
      from: Type.Array(PositionForm),
    }),
    Type.Object({
      kind: Type.Literal('settled'),
      run: Type.String(),
      delivered: Type.Array(Type.Object({ offset: Offset, receipt: PositionForm })),
      released: Type.Array(Offset),
    }),
    Type.Object({
      kind: Type.Literal('discarded'),
      run: Type.String(),
      reason: Type.String(),
      offsets: Type.Array(Offset),
    }),
    Type.Object({ kind: Type.Literal('acknowledged'), run: Type.String(), offsets: Type.Array(Offset) }),
  ]),
)

/** The claim of a run that has not noted how it ended. */
export interface Claim {
  readonly run: string
  readonly by: string
  readonly from: readonly Position[]
}

/** How an operator settled a dead letter without a record. */
export interface Discard {
  readonly reason: string
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The content of the notes in one partition of the dead-letter topic, as far as it has been read. */
export class History {
  readonly #pipeline: string
  #next: number
  #current: { readonly run: string; readonly by: string } | undefined
  readonly #claims = new Map<number, Claim>()
  readonly #delivered = new Map<number, Receipt>()
  readonly #discarded = new Map<number, Discard>()
  readonly #acknowledged = new Map<number, number>()
  readonly #proof: RecordMac | undefined
  readonly #doubted = new Set<number>()

  /** `proof`: notes that it does not prove settle nothing. */
  constructor(pipeline: string, from: number, proof?: RecordMac) {
    this.#pipeline = pipeline
    this.#next = from
    this.#proof = proof
  }

  /** The offset after the last record that was read. */
  get next(): number {
    return this.#next
  }

  /** The run that began last. */
  get current(): { readonly run: string; readonly by: string } | undefined {
    return this.#current
  }

  /** By the offset of the dead letter. */
  get claims(): ReadonlyMap<number, Claim> {
    return this.#claims
  }

  /** Receipts of the records that dead letters have become, by the offset of the dead letter. */
  get delivered(): ReadonlyMap<number, Receipt> {
    return this.#delivered
  }

  /** By the offset of the dead letter. */
  get discarded(): ReadonlyMap<number, Discard> {
    return this.#discarded
  }

  /** When failed acknowledgements were made, in milliseconds since the epoch, by their offset. */
  get acknowledged(): ReadonlyMap<number, number> {
    return this.#acknowledged
  }

  /** Whether a note settles the dead letter or failed acknowledgement with this offset. */
  isSettled(offset: number): boolean {
    return this.#delivered.has(offset) || this.#discarded.has(offset) || this.#acknowledged.has(offset)
  }

  /** The offsets of dead letters that a note settles, and nothing proves the note. */
  get doubted(): ReadonlySet<number> {
    return this.#doubted
  }

  /** Call it with every record of the partition, in the order of the offsets. Returns true if the record is a note. */
  add(record: LoggedRecord): boolean {
    if (record.offset < this.#next) return false
    this.#next = record.offset + 1
    const note = noteOf(record, this.#pipeline)
    if (note === undefined) return false
    if (this.#isProven(record, note.kind)) this.#apply(note, record.timestamp)
    else this.#doubt(note)
    return true
  }

  #isProven(record: LoggedRecord, kind: Note['kind']): boolean {
    // Without these, two runs could not exclude each other; a forged one can only stop a run.
    if (this.#proof === undefined || kind === 'begun' || kind === 'claimed') return true
    return record.header(HEADER.mac) === noteMac(record, kind, this.#proof)
  }

  #doubt(note: Note): void {
    const offsets =
      note.kind === 'settled'
        ? note.delivered.map(({ offset }) => offset)
        : note.kind === 'discarded' || note.kind === 'acknowledged'
          ? note.offsets
          : []
    for (const offset of offsets) this.#doubted.add(offset)
  }

  #apply(note: Note, at: number): void {
    switch (note.kind) {
      case 'begun':
        this.#current = { run: note.run, by: note.by }
        break
      case 'claimed':
        // The order of the log decides: a run that claims after another one has begun finds that out before it sends anything.
        if (this.#isSuperseded(note.run)) return
        for (const offset of note.offsets)
          this.#claims.set(offset, { run: note.run, by: this.#current?.by ?? '', from: note.from })
        break
      case 'settled':
        for (const offset of note.released)
          if (this.#claims.get(offset)?.run === note.run) this.#claims.delete(offset)
        for (const { offset, receipt } of note.delivered) {
          this.#claims.delete(offset)
          this.#discarded.delete(offset)
          this.#delivered.set(offset, receipt)
        }
        break
      case 'discarded':
        if (this.#isSuperseded(note.run)) return
        for (const offset of note.offsets) {
          if (this.#delivered.has(offset) || this.#acknowledged.has(offset)) continue
          this.#claims.delete(offset)
          this.#discarded.set(offset, { reason: note.reason, by: this.#current?.by ?? '', at })
        }
        break
      case 'acknowledged':
        for (const offset of note.offsets) {
          this.#discarded.delete(offset)
          this.#acknowledged.set(offset, at)
        }
    }
  }

  #isSuperseded(run: string): boolean {
    return this.#current !== undefined && this.#current.run !== run
  }
}
