import { hash } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { CheckedTables } from '../../src/ledger/checked-tables.js'
import type { EventTable } from '../../src/ledger/dedup-generation.js'
import { DedupIndex } from '../../src/ledger/dedup-index.js'
import { temporaryDirectory } from '../helpers/context.js'

/** More than a segment has, and than half of one. */
const MANY = 300
const WINDOW = 60_000

const identity = (event: number | string) => hash('sha256', `event ${event}`, 'binary')
const eventAt = (offset: number) => ({ key: [1, offset] as const, committedAt: Date.now() })

interface Disk {
  readonly checked: CheckedTables
  readonly tables: readonly [EventTable, EventTable]
  index(entries?: number): Promise<DedupIndex>
}

function newDisk(): Disk {
  const database = open({
    path: join(temporaryDirectory(), 'events.mdb'),
    maxDbs: 4,
    eventTurnBatching: false,
  })
  onTestFinished(() => database.close())
  const checked = new CheckedTables(database, 'orders')
  const table = (number: number): EventTable => checked.table(`events.${number}`, 'binary')
  const tables = [table(0), table(1)] as const
  const starts = checked.table<number, number>('generations')
  return {
    checked,
    tables,
    index: (entries = 1000) =>
      DedupIndex.open(tables, starts, { window: WINDOW, entries }, { now: Date.now }),
  }
}

async function write({ checked }: Disk, index: DedupIndex): Promise<void> {
  await checked.write(() => index.write())
  index.written()
}
const offsetOf = (index: DedupIndex, event: number): number | undefined =>
  index.lookup(identity(event))?.key[1]
const insert = (index: DedupIndex, from: number, to: number): void => {
  for (let event = from; event < to; event++) index.insert(identity(event), eventAt(event))
}
const found = (index: DedupIndex, to: number): number[] =>
  Array.from({ length: to }, (_, event) => event).filter((event) => offsetOf(index, event) === event)

test('a lookup finds an event before, during and after its write', async () => {
  const disk = newDisk()
  const index = await disk.index()
  insert(index, 0, MANY)
  expect(found(index, MANY)).toHaveLength(MANY)
  const writing = disk.checked.write(() => index.write())
  insert(index, MANY, 2 * MANY)
  expect(found(index, 2 * MANY)).toHaveLength(2 * MANY)
  await writing
  index.written()
  expect(found(index, 2 * MANY)).toHaveLength(2 * MANY)
  expect(index.lookup(identity('never seen'))).toBeUndefined()
})

test('the next start finds the events that were written, and continues after them, whatever was written when', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: MANY }), { maxLength: 6 }), async (writes) => {
      const disk = newDisk()
      let events = 0
      for (const count of writes) {
        const index = await disk.index(100_000)
        insert(index, events, events + count)
        events += count
        await write(disk, index)
        // Never written.
        insert(index, events, events + 3)
      }
      const index = await disk.index(100_000)
      expect(found(index, events + 3)).toEqual(Array.from({ length: events }, (_, event) => event))
    }),
    { numRuns: 20 },
  )
})

test('a segment of events is one page of the file', async () => {
  const disk = newDisk()
  const index = await disk.index(100_000)
  insert(index, 0, 113 * 20)
  await write(disk, index)
  const { entryCount, overflowPages } = disk.tables[0].getStats() as Record<string, number>
  expect({ entryCount, overflowPages }).toEqual({ entryCount: 20, overflowPages: 20 })
})

test('events that could not be written are written the next time', async () => {
  const disk = newDisk()
  const index = await disk.index()
  insert(index, 0, MANY)
  const fail = () => {
    index.write()
    throw new Error('cannot')
  }
  expect(() => disk.checked.writeSync(fail)).toThrow('cannot')
  expect(found(await disk.index(), MANY)).toEqual([])
  insert(index, MANY, MANY + 10)
  expect(index.isDirty).toBe(true)
  await write(disk, index)
  expect(index.isDirty).toBe(false)
  expect(found(await disk.index(), MANY + 10)).toHaveLength(MANY + 10)
})

test.each([1, 112, 113, 114, 200])(
  'at least the newest %i events are found, and at most twice as many',
  async (entries) => {
    const disk = newDisk()
    let index = await disk.index(entries)
    for (let from = 0; from < 1000; from += 50) {
      insert(index, from, from + 50)
      await write(disk, index)
      // Half of the time by another process.
      if (from % 100 === 0) index = await disk.index(entries)
      const left = found(index, from + 50)
      const fewest = Math.min(entries, from + 50)
      expect(left.slice(-fewest)).toEqual(Array.from({ length: fewest }, (_, n) => from + 50 - fewest + n))
      expect(left.length).toBeLessThanOrEqual(2 * entries)
    }
  },
)

test('with no entries hardly any event is indexed', async () => {
  const disk = newDisk()
  const index = await disk.index(0)
  insert(index, 0, MANY)
  await write(disk, index)
  expect(found(index, MANY).length).toBeLessThanOrEqual(2)
})

test('a lower number of entries applies from the next event on, and loses none of the events within it', async () => {
  const disk = newDisk()
  const before = await disk.index(1000)
  insert(before, 0, 900)
  await write(disk, before)
  for (const index of [before, await disk.index(100)]) {
    index.limit({ window: WINDOW, entries: 100 })
    insert(index, 900, 1000)
    expect(found(index, 1000)).toHaveLength(1000)
    insert(index, 1000, 1100)
    expect(found(index, 1100)).toEqual(Array.from({ length: 200 }, (_, n) => 900 + n))
  }
})

test('if an event is indexed twice, as after its window, the second entry counts', async () => {
  const disk = newDisk()
  const index = await disk.index()
  index.insert(identity(1), { key: [1, 1], committedAt: Date.now() - 2 * WINDOW })
  expect(index.lookup(identity(1))).toBeUndefined()
  index.insert(identity(1), eventAt(7))
  expect(offsetOf(index, 1)).toBe(7)
  await write(disk, index)
  expect(offsetOf(await disk.index(), 1)).toBe(7)
})

test('events older than two windows take no space', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const disk = newDisk()
  const index = await disk.index()
  const began = Date.now()
  insert(index, 0, MANY)
  await write(disk, index)
  expect(index.since).toBe(began)
  for (const event of [MANY, MANY + 1]) {
    vi.advanceTimersByTime(WINDOW)
    await write(disk, index)
    insert(index, event, event + 1)
    await write(disk, index)
  }
  expect(index.since).toBe(began + WINDOW)
  expect(disk.tables.map((table) => (table.getStats() as Record<string, number>).entryCount)).toEqual([1, 1])
  expect((await disk.index()).since).toBe(began + WINDOW)
})
