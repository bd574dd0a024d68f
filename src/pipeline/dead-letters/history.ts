import type { LoggedRecord, Position, Receipt } from '../../plugin.js'
import { type Note, noteOf } from './note.js'

/** Dead letters that a run said it was about to send, and of which it has not said what became. */
export interface Claim {
  readonly run: string
  readonly by: string
  readonly from: readonly Position[]
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
  /** To be called with every record of the partition, in the order of the offsets. True where it is a note. */
  see(record: LoggedRecord): boolean
}

export function createHistory(pipeline: string, from: number): History {
  let next = from
  let current: { readonly run: string; readonly by: string } | undefined
  const claims = new Map<number, Claim>()
  const delivered = new Map<number, Receipt>()

  function take(note: Note): void {
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
          delivered.set(offset, receipt)
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
    see(record) {
      if (record.offset < next) return false
      next = record.offset + 1
      const note = noteOf(record, pipeline)
      if (note !== undefined) take(note)
      return note !== undefined
    },
  }
}
