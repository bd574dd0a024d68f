import { levelOf } from './ack-queue.js'
import { type ByKey, byKey } from './by-key.js'
import type { Failed, Owed, OwedKey } from './rows.js'

/** The key of a row in the table of parked acknowledgements: of each level, those that are due first come first. */
export type ParkedKey = readonly [
  level: number,
  dueAt: number,
  stage: number,
  partition: number,
  offset: number,
]

export const parkedKey = ({ attempts, dueAt, stage, key: [partition, offset] }: Owed): ParkedKey => [
  levelOf(attempts),
  dueAt,
  stage,
  partition,
  offset,
]

/** What the disk has not been told yet. */
export interface Unwritten {
  /** Owed, and not on disk. What is settled in time never gets there. */
  readonly added: ByKey<Owed>
  /** On disk in another form; undefined where nothing is owed any more. Written before what was added. */
  readonly changed: ByKey<Owed | undefined>
  /** Keys of parked ones that were taken into memory, or have others now. */
  readonly unparked: ParkedKey[]
  /** Given up; undefined where one is owed anew. */
  readonly failed: ByKey<Failed | undefined>
  /** How far partitions are known, by their number. */
  readonly checkpoints: Map<number, number>
}

export const nothingUnwritten = (): Unwritten => ({
  added: byKey(),
  changed: byKey(),
  unparked: [],
  failed: byKey(),
  checkpoints: new Map(),
})

export const isEmpty = ({ added, changed, unparked, failed, checkpoints }: Unwritten): boolean =>
  unparked.length + checkpoints.size + added.size() + changed.size() + failed.size() === 0

/** What these changes say of an acknowledgement; `unsaid` where that is nothing, and the disk knows. */
export function owedIn({ added, changed }: Unwritten, key: OwedKey): Owed | undefined | 'unsaid' {
  const owed = added.get(key) ?? changed.get(key)
  return owed !== undefined || changed.has(key) ? owed : 'unsaid'
}

/** Unwritten that could not be written, and those that came after them. */
export function merged(older: Unwritten, newer: Unwritten): Unwritten {
  const all = nothingUnwritten()
  for (const [key, owed] of older.added.entries()) if (!newer.changed.has(key)) all.added.set(key, owed)
  for (const [key, owed] of newer.added.entries()) all.added.set(key, owed)
  for (const { changed, unparked, failed, checkpoints } of [older, newer]) {
    for (const [key, owed] of changed.entries()) all.changed.set(key, owed)
    for (const [key, given] of failed.entries()) all.failed.set(key, given)
    for (const [number, offset] of checkpoints) all.checkpoints.set(number, offset)
    all.unparked.push(...unparked)
  }
  return all
}
