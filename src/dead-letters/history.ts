import type { LoggedRecord, Position, Receipt } from '../contract/index.js'
import { type Note, noteOf } from './note.js'

/** Dead letters that a run said it was about to send, and of which it has not said what became. */
export interface Claim {
  readonly run: string
  readonly by: string
  readonly from: readonly Position[]
}

/** A dead letter that an operator has settled without a record. */
export interface Discard {
  readonly reason: string
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What the notes in one partition of the dead-letter topic say, as far as it has been read. */
export interface History {
  /** The offset behind the last record that was seen. */
  readonly next: number
  /** The run that began last. */
  readonly current: { readonly run: string; readonly by: string } | undefined
  /** By the offset of the dead letter. */
  readonly claims: ReadonlyMap<number, Claim>
  /** Where the records of replayed dead letters are, by the offset of the dead letter. */
  readonly delivered: ReadonlyMap<number, Receipt>
  /** By the offset of the dead letter. */
  readonly discarded: ReadonlyMap<number, Discard>
  /** To be called with every record of the partition, in the order of the offsets. True where it is a note. */
  see(record: LoggedRecord): boolean
}

export function createHistory(pipeline: string, from: number): History {
  let next = from
  let current: { readonly run: string; readonly by: string } | undefined
  const claims = new Map<number, Claim>()
  const delivered = new Map<number, Receipt>()
  const discarded = new Map<number, Discard>()

  function take(note: Note, at: number): void {
    switch (note.kind) {
      case 'begun':
        current = { run: note.run, by: note.by }
        break
      case 'claimed':
        // The order of the log decides: who claims after another run has begun finds that out before it sends anything.
        if (current !== undefined && current.run !== note.run) return
        for (const offset of note.offsets)
          claims.set(offset, { run: note.run, by: current?.by ?? '', from: note.from })
        break
      case 'settled':
        for (const offset of note.released) if (claims.get(offset)?.run === note.run) claims.delete(offset)
        for (const { offset, receipt } of note.delivered) {
          claims.delete(offset)
          discarded.delete(offset)
          delivered.set(offset, receipt)
        }
        break
      case 'discarded':
        if (current !== undefined && current.run !== note.run) return
        for (const offset of note.offsets) {
          if (delivered.has(offset)) continue
          claims.delete(offset)
          discarded.set(offset, { reason: note.reason, by: current?.by ?? '', at })
        }
    }
  }

  return {
    get next() {
      return next
    },
    get current() {
      return current
    },
    claims,
    delivered,
    discarded,
    see(record) {
      if (record.offset < next) return false
      next = record.offset + 1
      const note = noteOf(record, pipeline)
      if (note !== undefined) take(note, record.timestamp)
      return note !== undefined
    },
  }
}
