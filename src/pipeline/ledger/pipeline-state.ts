import type { Database, RootDatabase } from 'lmdb'
import { HeadgateError } from '../../errors.js'
import type { Position } from '../../plugin.js'
import { createMemory, type StateLimits } from './remembered-events.js'
import {
  type Failed,
  type Known,
  keyText,
  type Owed,
  type OwedKey,
  owedRow,
  type Row,
  toOwed,
} from './state-rows.js'

/**
 * What one pipeline keeps on disk: where known events are, what is still to be acknowledged, how far each partition is
 * known. Everything is changed in memory first and written by `flush`, in one transaction, so the path of an event never
 * waits for it, and an acknowledgement that is settled before never touches the disk. What is read sees both.
 */
export interface PipelineState {
  recall(identity: string): Known | undefined
  remember(identity: string, known: Known): void
  /** Owes an acknowledgement that was not owed. `parked` ones are not in memory, but wait on disk for `unpark`. */
  owe(owed: Owed, parked: boolean): void
  /** Changes one that is owed. */
  change(owed: Owed, parked: boolean): void
  /** One that is owed is owed no more. */
  settle(owed: Owed): void
  isOwed(key: OwedKey): boolean
  /** Of all, the parked ones included. */
  owedCount(): number
  /** What was in memory when the state was last written. Counts all there is on the way, so it is called once, at start. */
  loadOwed(): Owed[]
  /** Takes up to `limit` parked acknowledgements into memory, those that are due first. */
  unpark(limit: number): Owed[]
  /** When each owed acknowledgement was committed, as of the last flush. */
  committedTimes(): Iterable<number>
  /** The acknowledgement of the oldest record, as of the last flush. */
  oldestOwed(): Owed | undefined
  fail(failed: Failed): void
  failures(): Failed[]
  /** Removes a failed acknowledgement; the caller owes it again. */
  forgetFailure(failed: Failed): void
  failedCount(): number
  keyOf(position: Position): OwedKey
  /** A key for an event that has no record. */
  nextKey(): OwedKey
  /** How far a partition is known; undefined where it never was. */
  checkpoint(topic: string, partition: number): number | undefined
  /** From the next flush on, a partition is known up to here. */
  advance(position: Position): void
  /** Writes everything. Rejects with HG_STATE_WRITE where the disk cannot take it; the next flush tries it all again. */
  flush(): Promise<void>
  /** For each partition the offset below which nothing is owed, as of the last flush. */
  acknowledgedUpTo(): Position[]
  /** Since when events are remembered without a gap; milliseconds since the epoch. */
  remembersSince(): number
}

export function openPipelineState(
  database: RootDatabase,
  pipeline: string,
  limits: StateLimits,
): PipelineState {
  const table = <Value, Key extends string | number | number[]>(name: string): Database<Value, Key> =>
    database.openDB<Value, Key>({ name: `${pipeline}/${name}`, encoding: 'msgpack' })
  const owedTable = table<Row, number[]>('owed')
  const parkedTable = table<1, number[]>('parked')
  const failedTable = table<unknown[], number[]>('failed')
  const checkpoints = table<number, number>('checkpoints')
  const names = table<[string, number], number>('partitions')
  const memory = createMemory((generation) => table(`events.${generation}`), table('generations'), limits)

  const partitions: Omit<Position, 'offset'>[] = []
  const numbers = new Map<string, number>()
  for (const {
    key,
    value: [topic, partition],
  } of names.getRange({ start: 1 })) {
    partitions[key] = { topic, partition }
    numbers.set(`${topic} ${partition}`, key)
  }

  /** What the next flush makes of owed acknowledgements, by key. */
  let changed = new Map<string, Change>()
  let parked = new Map<string, readonly number[]>()
  let unparked: number[][] = []
  let forgotten: number[][] = []
  let moved = new Map<number, number>()
  let writing: Pick<Batch, 'changed'> | undefined
  let sequence = Date.now() * 1000
  let count = 0

  function numberOf(topic: string, partition: number): number {
    const name = `${topic} ${partition}`
    let number = numbers.get(name)
    if (number === undefined) {
      number = numbers.size + 1
      numbers.set(name, number)
      partitions[number] = { topic, partition }
      // At once: rows that name the number must never be found without it.
      names.putSync(number, [topic, partition])
    }
    return number
  }
  const positionOf = ([number, offset]: OwedKey): Position | undefined => {
    const at = partitions[number]
    return at === undefined ? undefined : { ...at, offset }
  }
  const load = (key: OwedKey, row: Row): Owed => toOwed(key, row, positionOf(key))
  const put = (owed: Owed, park: boolean, isNew: boolean): void => {
    const text = keyText(owed.key)
    changed.set(text, {
      key: owed.key,
      row: owedRow(owed, park),
      isNew: isNew || changed.get(text)?.isNew === true,
    })
    if (park) parked.set(text, [owed.dueAt, owed.stage, ...owed.key])
  }
  const rowOf = (key: OwedKey): Row | undefined => {
    const text = keyText(key)
    const pending = changed.get(text) ?? writing?.changed.get(text)
    return pending === undefined ? owedTable.get([...key]) : pending.row
  }

  interface Change {
    readonly key: OwedKey
    /** Undefined where nothing is owed any more. */
    readonly row: Row | undefined
    /** True where the disk has no row yet. */
    readonly isNew: boolean
  }

  interface Batch {
    readonly changed: typeof changed
    readonly parked: typeof parked
    readonly unparked: typeof unparked
    readonly forgotten: typeof forgotten
    readonly moved: typeof moved
  }

  function write({ changed, parked, unparked, forgotten, moved }: Batch): void {
    memory.write()
    for (const { key, row } of changed.values()) {
      if (row === undefined) owedTable.remove([...key])
      else owedTable.put([...key], row)
    }
    for (const key of unparked) parkedTable.remove(key)
    for (const key of forgotten) failedTable.remove(key)
    for (const key of parked.values()) parkedTable.put([...key], 1)
    for (const [number, offset] of moved) checkpoints.put(number, offset)
  }

  return {
    recall: (identity) => {
      const found = memory.recall(identity)
      const position = found && positionOf(found.key)
      return position && { position, committedAt: found.committedAt }
    },
    remember: (identity, { position, committedAt }) =>
      memory.remember(identity, [numberOf(position.topic, position.partition), position.offset], committedAt),
    owe(owed, park) {
      count++
      put(owed, park, true)
    },
    change: (owed, park) => put(owed, park, false),
    settle({ key }) {
      count--
      const text = keyText(key)
      // What is not on disk need not be removed from it.
      if (changed.get(text)?.isNew) changed.delete(text)
      else changed.set(text, { key, row: undefined, isNew: false })
    },
    isOwed: (key) => rowOf(key) !== undefined,
    owedCount: () => count,
    loadOwed() {
      const loaded: Owed[] = []
      for (const { key, value } of owedTable.getRange({})) {
        count++
        if (!value[6]) loaded.push(load(key as unknown as OwedKey, value))
      }
      return loaded
    },
    unpark(limit) {
      // What is taken stands in the table until the next flush; taking twice would try it twice.
      if (unparked.length > 0 || writing !== undefined) return []
      const taken: Owed[] = []
      for (const key of parkedTable.getKeys({ limit })) {
        const owedKey = [key[2], key[3]] as unknown as OwedKey
        const row = rowOf(owedKey)
        unparked.push([...key])
        if (row === undefined) continue
        const owed = load(owedKey, row)
        put(owed, false, false)
        taken.push(owed)
      }
      return taken
    },
    committedTimes: () => owedTable.getRange({}).map(({ value }) => value[2]),
    oldestOwed() {
      let oldest: Owed | undefined
      for (let number = 0; number < Math.max(1, partitions.length); number++) {
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
    fail({ key, reason, failedAt, ...owed }) {
      void failedTable.put(
        [...key],
        [owedRow({ key, ...owed }, false), reason.code, reason.message, failedAt],
      )
    },
    failures: () =>
      [...failedTable.getRange({})].map(({ key, value }) => {
        const [row, code, message, failedAt] = value as [Row, string, string, number]
        return { ...load(key as unknown as OwedKey, row), reason: { code, message }, failedAt }
      }),
    // Together with what owes it anew: an acknowledgement must not be in neither table.
    forgetFailure: ({ key }) => void forgotten.push([...key]),
    failedCount: () => (failedTable.getStats() as { entryCount: number }).entryCount,
    keyOf: ({ topic, partition, offset }) => [numberOf(topic, partition), offset],
    nextKey: () => [0, sequence++],
    checkpoint: (topic, partition) => {
      const number = numbers.get(`${topic} ${partition}`)
      return number === undefined ? undefined : (moved.get(number) ?? checkpoints.get(number))
    },
    advance: ({ topic, partition, offset }) => moved.set(numberOf(topic, partition), offset),
    async flush() {
      const batch = { changed, parked, unparked, forgotten, moved }
      if (!memory.hasNews() && changed.size + parked.size + unparked.length + moved.size === 0) return
      changed = new Map()
      parked = new Map()
      unparked = []
      forgotten = []
      moved = new Map()
      writing = batch
      try {
        await memory.rotate()
        await database.transaction(() => write(batch))
        memory.written()
      } catch (error) {
        memory.notWritten()
        changed = new Map([...batch.changed, ...changed])
        parked = new Map([...batch.parked, ...parked])
        unparked = [...batch.unparked, ...unparked]
        forgotten = [...batch.forgotten, ...forgotten]
        moved = new Map([...batch.moved, ...moved])
        const reason = error instanceof Error ? error.message : String(error)
        throw new HeadgateError('HG_STATE_WRITE', `The state directory cannot be written: ${reason}.`)
      } finally {
        writing = undefined
      }
    },
    acknowledgedUpTo: () =>
      partitions.flatMap(({ topic, partition }, number) => {
        const known = checkpoints.get(number)
        if (known === undefined) return []
        const [first] = owedTable.getKeys({ start: [number, 0], end: [number + 1, 0], limit: 1 })
        return [
          { topic, partition, offset: first === undefined ? known : Math.min(known, first[1] as number) },
        ]
      }),
    remembersSince: memory.since,
  }
}
