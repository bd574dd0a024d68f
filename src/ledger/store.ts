import type { RootDatabase } from 'lmdb'
import type { Position } from '../contract/index.js'
import { openCheckedTables } from './checked-tables.js'
import { type ClockReading, type LedgerClock, ledgerClock } from './clock.js'
import type { EventTable } from './dedup-index.js'
import type { RecognisedBy } from './identity.js'
import { inSlices } from './in-slices.js'
import { keysOf } from './keys-of.js'
import { type LogMarks, openLogMarks } from './log-marks.js'
import { openPartitionNumbers } from './partition-numbers.js'
import { openRememberedEvents, type StateLimits } from './remembered-events.js'
import { rowCount } from './row-count.js'
import { type Known, type Owed, type OwedKey, owedRow, type Row, type StageAfter, toOwed } from './rows.js'
import { createFailures, type FailedRow, type Failures } from './store-tables.js'
import { openStoredProofs, type StoredProofs } from './stored-proofs.js'
import {
  isEmpty,
  merged,
  nothingUnwritten,
  owedIn,
  type ParkedKey,
  parkedKey,
  type Unwritten,
} from './unwritten.js'

/**
 * What one pipeline keeps on disk: where known events are, what is still to be acknowledged, how far each partition is
 * known. Everything is changed in memory first and written by `flush`, in one transaction, so the path of an event never
 * waits for it, and an acknowledgement that is settled before never touches the disk. What is read sees both.
 */
export interface PipelineState {
  /** All times in the state are of this clock. */
  readonly clock: LedgerClock
  recall(identity: string): Known | undefined
  remember(identity: string, known: Known): void
  /** The same for an unproven record; see `Claims`. */
  rememberUnproven(identity: string, known: Known): void
  /** Owes an acknowledgement that was not owed. */
  owe(owed: Owed): void
  /** Unwritten one that is owed. */
  change(owed: Owed): void
  /** One that is owed is owed no more. */
  settle(owed: Owed): void
  isOwed(key: OwedKey): boolean
  /** Of all, the parked ones included. */
  owedCount(): number
  /**
   * What was in memory when the state was last written. Looks at all that is owed, unless it stopped in order, with all of it
   * parked. Called once, at start.
   */
  loadOwed(stoppedInOrder: boolean): Owed[]
  /**
   * Takes parked acknowledgements into memory: of each level up to its limit, those that are due first. Undefined while what
   * was taken before is not written yet.
   */
  unpark(limits: readonly number[]): Owed[] | undefined
  /** Moves every parked acknowledgement to another post-commit stage, and says how many of them are owed no more. */
  restageParked(stageAfter: StageAfter): number
  /** When each owed acknowledgement was committed, as of the last flush; some at a time. Ends early where the state is closed. */
  committedTimes(): AsyncIterable<readonly number[]>
  /** The acknowledgement of the oldest record, as of the last flush. */
  oldestOwed(): Owed | undefined
  readonly failures: Failures
  /** What the log is recognised by. */
  readonly log: LogMarks
  readonly proofs: StoredProofs
  /** What the events that are known are recognised by; undefined when none ever were. */
  recognisedBy(): RecognisedBy | undefined
  /** From the next flush on. */
  recogniseBy(by: RecognisedBy): void
  keyOf(position: Position): OwedKey
  positionOf(key: OwedKey): Position | undefined
  /** A key for an event that has no record. */
  nextKey(): OwedKey
  /** How far a partition is known; undefined where it never was. */
  checkpoint(topic: string, partition: number): number | undefined
  /** From the next flush on, a partition is known up to here. */
  advance(key: OwedKey): void
  /** Writes everything. Rejects with HG_STATE_WRITE where the disk cannot take it; the next flush tries it all again. */
  flush(): Promise<void>
  /** For each partition the offset below which nothing is owed, as of the last flush. */
  acknowledgedUpTo(): Position[]
  /** Since when events are remembered without a gap; milliseconds since the epoch. */
  remembersSince(): number
  limit(limits: StateLimits): void
  /**
   * True once after a stop at which nothing was on its way to Kafka: what is there now is all that will be there. False from
   * then on, also after a crash.
   */
  takeCleanStop(): boolean
  /** Nothing is read any more. Called after the last flush; `clean` where nothing is on its way to Kafka. */
  close(clean: boolean): void
}

export async function openPipelineState(
  database: RootDatabase,
  pipeline: string,
  limits: StateLimits,
): Promise<PipelineState> {
  const tables = openCheckedTables(database, pipeline)
  const owedTable = tables.table<Row, number[]>('owed')
  const parkedTable = tables.table<1, number[]>('parked')
  const checkpoints = tables.table<number, number>('checkpoints')
  const partitions = openPartitionNumbers(tables.table('partitions'))
  const log = openLogMarks(tables.table('log'), partitions)
  const proofs = openStoredProofs(tables.table('proofs'))
  const terms = tables.table<RecognisedBy, string>('terms')
  let recognisedBy = terms.get(BY)
  let byIsNew = false
  const stops = tables.table<true, string>('stops')
  const events = (generation: number): EventTable => tables.table(`events.${generation}`, 'binary')
  const clocks = tables.table<ClockReading, string>('clock')
  const clock = ledgerClock(clocks.get(LAST))
  const generations = tables.table<number, number>('generations')
  const memory = await openRememberedEvents([events(0), events(1)], generations, limits, clock)

  let changes = nothingUnwritten()
  let writing: Unwritten | undefined
  let sequence = clock.now() * 1000
  let count = rowCount(owedTable)
  let closed = false

  const positionOf = ([number, offset]: OwedKey): Position | undefined => {
    const at = partitions.at(number)
    return at && { topic: at.topic, partition: at.partition, offset }
  }
  const load = (key: OwedKey, row: Row): Owed => toOwed(key, row, positionOf(key))
  const change = (owed: Owed): void =>
    (changes.added.has(owed.key) ? changes.added : changes.changed).set(owed.key, owed)
  const settle = (key: OwedKey): void => {
    count--
    if (!changes.added.delete(key)) changes.changed.set(key, undefined)
  }
  const find = (key: OwedKey): Owed | undefined => {
    for (const unwritten of writing === undefined ? [changes] : [changes, writing]) {
      const owed = owedIn(unwritten, key)
      if (owed !== 'unsaid') return owed
    }
    const row = owedTable.get([...key])
    return row && load(key, row)
  }
  const failures = createFailures(tables.table<FailedRow, number[]>('failed'), load, () => [changes, writing])

  function write({ added, changed, unparked, failed, checkpoints: known }: Unwritten): void {
    partitions.write()
    for (const key of unparked) parkedTable.remove([...key])
    failures.write(failed)
    for (const [key, owed] of changed.entries()) {
      if (owed === undefined) owedTable.remove([...key])
      else put(owed)
    }
    for (const [, owed] of added.entries()) put(owed)
    memory.write()
    log.write()
    proofs.write()
    if (byIsNew) terms.put(BY, recognisedBy as RecognisedBy)
    for (const [number, offset] of known) checkpoints.put(number, offset)
    clocks.put(LAST, clock.reading())
  }
  function put(owed: Owed): void {
    owedTable.put([...owed.key], owedRow(owed))
    if (owed.parked) parkedTable.put([...parkedKey(owed)], 1)
  }

  return {
    clock,
    recall(identity) {
      const known = memory.recall(identity)
      return known !== undefined && partitions.isCurrent(known.key[0]) ? known : undefined
    },
    remember(identity, known) {
      memory.remember(identity, known)
      log.mark(identity, known.key)
    },
    rememberUnproven(identity, known) {
      memory.remember(identity, known)
      proofs.noteUnproven(clock.now())
    },
    owe(owed) {
      count++
      changes.added.set(owed.key, owed)
    },
    change,
    settle: ({ key }) => settle(key),
    isOwed: (key) => find(key) !== undefined,
    owedCount: () => count,
    loadOwed(stoppedInOrder) {
      // What was being tried for a stage that is no more is not parked by a stop, and leaves more rows here than there.
      if (stoppedInOrder && count === rowCount(parkedTable)) return []
      const loaded: Owed[] = []
      for (const { key, value } of owedTable.getRange({})) {
        const owed = load(key as unknown as OwedKey, value)
        if (!owed.parked) loaded.push(owed)
      }
      return loaded
    },
    unpark(limits) {
      // What is taken stands in the table until the next flush; taking twice would try it twice.
      if (changes.unparked.length > 0 || writing !== undefined) return undefined
      const taken: Owed[] = []
      for (const [level, limit] of limits.entries()) {
        const range = { start: [level], end: [level + 1], limit }
        const keys = limit === 0 ? [] : (parkedTable.getKeys(range) as Iterable<unknown>)
        for (const key of keys as Iterable<ParkedKey>) {
          changes.unparked.push(key)
          const found = find([key[3], key[4]])
          if (!found?.parked) continue
          const owed = { ...found, parked: false }
          change(owed)
          taken.push(owed)
        }
      }
      return taken
    },
    restageParked(stageAfter) {
      let settled = 0
      for (const key of keysOf(owedTable, writing?.added, changes.added)) {
        const owed = find(key)
        if (!owed?.parked) continue
        const stage = stageAfter(owed.stage)
        if (stage === owed.stage) continue
        changes.unparked.push(parkedKey(owed))
        if (Number.isFinite(stage)) change({ ...owed, stage })
        else {
          settle(key)
          settled++
        }
      }
      return settled
    },
    failures,
    log,
    proofs,
    recognisedBy: () => recognisedBy,
    recogniseBy(by) {
      if (by === recognisedBy) return
      recognisedBy = by
      byIsNew = true
    },
    async *committedTimes() {
      const owed = inSlices(
        (range) => owedTable.getRange(range),
        ({ key }) => key,
        () => closed,
      )
      for await (const rows of owed) yield rows.map(({ value }) => value[2])
    },
    oldestOwed() {
      let oldest: Owed | undefined
      for (const number of [0, ...partitions.all()]) {
        for (const { key, value } of owedTable.getRange({
          start: [number, 0],
          end: [number + 1, 0],
          limit: 1,
        })) {
          const owed = load(key as unknown as OwedKey, value)
          if (oldest === undefined || owed.committedAt < oldest.committedAt) oldest = owed
        }
      }
      return oldest
    },
    keyOf: ({ topic, partition, offset }) => [partitions.of(topic, partition), offset],
    positionOf,
    nextKey: () => [0, sequence++],
    checkpoint(topic, partition) {
      const number = partitions.known(topic, partition)
      if (number === undefined) return undefined
      return changes.checkpoints.get(number) ?? writing?.checkpoints.get(number) ?? checkpoints.get(number)
    },
    advance: ([number, offset]) => void changes.checkpoints.set(number, offset),
    async flush() {
      if (
        !memory.hasNews() &&
        !partitions.hasNews() &&
        !log.hasNews() &&
        !proofs.hasNews() &&
        !byIsNew &&
        isEmpty(changes)
      )
        return
      const batch = changes
      changes = nothingUnwritten()
      writing = batch
      try {
        // Carried out by a thread of the index: thousands of rows would hold up the events that come meanwhile.
        await tables.write(() => write(batch))
        memory.written()
        partitions.written()
        log.written()
        proofs.written()
        byIsNew = false
      } catch (error) {
        changes = merged(batch, changes)
        throw error
      } finally {
        writing = undefined
      }
    },
    acknowledgedUpTo: () =>
      partitions.numbers().flatMap((number) => {
        const known = checkpoints.get(number)
        const at = partitions.at(number)
        if (known === undefined || at === undefined) return []
        const [first] = owedTable.getKeys({ start: [number, 0], end: [number + 1, 0], limit: 1 })
        const offset = first === undefined ? known : Math.min(known, first[1] as number)
        return [{ topic: at.topic, partition: at.partition, offset }]
      }),
    remembersSince: memory.since,
    limit: memory.limit,
    takeCleanStop() {
      const clean = stops.get(CLEAN) === true
      if (clean) tables.writeSync(() => stops.remove(CLEAN))
      return clean
    },
    close(clean) {
      closed = true
      if (!clean) return
      tables.writeSync(() => {
        clocks.put(LAST, clock.reading())
        stops.put(CLEAN, true)
      })
    },
  }
}

const BY = 'recognisedBy'
const CLEAN = 'clean'
const LAST = 'last'
