import { hash } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type CheckedTables, openCheckedTables } from '../../src/ledger/checked-tables.js'
import type { EventTable } from '../../src/ledger/dedup-index.js'
import { openRememberedEvents, type RememberedEvents } from '../../src/ledger/remembered-events.js'
import { temporaryDirectory } from '../helpers/context.js'

/** More than a segment has, and than half of one. */
const MANY = 300
const WINDOW = 60_000

const identity = (event: number | string) => hash('sha256', `event ${event}`, 'binary')
const known = (offset: number) => ({ key: [1, offset] as const, committedAt: Date.now() })

interface Disk {
  readonly checked: CheckedTables
  readonly tables: readonly [EventTable, EventTable]
  memory(entries?: number): Promise<RememberedEvents>
}

function newDisk(): Disk {
  const database = open({
    path: join(temporaryDirectory(), 'events.mdb'),
    maxDbs: 4,
    eventTurnBatching: false,
  })
  onTestFinished(() => database.close())
  const checked = openCheckedTables(database, 'orders')
  const table = (number: number): EventTable => checked.table(`events.${number}`, 'binary')
  const tables = [table(0), table(1)] as const
  const starts = checked.table<number, number>('generations')
  return {
    checked,
    tables,
    memory: (entries = 1000) =>
      openRememberedEvents(tables, starts, { window: WINDOW, entries }, { now: Date.now }),
  }
}

async function write({ checked }: Disk, memory: RememberedEvents): Promise<void> {
  await checked.write(() => memory.write())
  memory.written()
}
const offsetOf = (memory: RememberedEvents, event: number): number | undefined =>
  memory.recall(identity(event))?.key[1]
const remember = (memory: RememberedEvents, from: number, to: number): void => {
  for (let event = from; event < to; event++) memory.remember(identity(event), known(event))
}
const recalled = (memory: RememberedEvents, to: number): number[] =>
  Array.from({ length: to }, (_, event) => event).filter((event) => offsetOf(memory, event) === event)

test('what is remembered is recalled before it is written, while it is, and after', async () => {
  const disk = newDisk()
  const memory = await disk.memory()
  remember(memory, 0, MANY)
  expect(recalled(memory, MANY)).toHaveLength(MANY)
  const writing = disk.checked.write(() => memory.write())
  remember(memory, MANY, 2 * MANY)
  expect(recalled(memory, 2 * MANY)).toHaveLength(2 * MANY)
  await writing
  memory.written()
  expect(recalled(memory, 2 * MANY)).toHaveLength(2 * MANY)
  expect(memory.recall(identity('never seen'))).toBeUndefined()
})

test('whatever is written in between, the next start recalls what was written, and goes on behind it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: MANY }), { maxLength: 6 }), async (writes) => {
      const disk = newDisk()
      let events = 0
      for (const count of writes) {
        const memory = await disk.memory(100_000)
        remember(memory, events, events + count)
        events += count
        await write(disk, memory)
        // Never written.
        remember(memory, events, events + 3)
      }
      const memory = await disk.memory(100_000)
      expect(recalled(memory, events + 3)).toEqual(Array.from({ length: events }, (_, event) => event))
    }),
    { numRuns: 20 },
  )
})

test('a segment of events is one page of the file', async () => {
  const disk = newDisk()
  const memory = await disk.memory(100_000)
  remember(memory, 0, 113 * 20)
  await write(disk, memory)
  const { entryCount, overflowPages } = disk.tables[0].getStats() as Record<string, number>
  expect({ entryCount, overflowPages }).toEqual({ entryCount: 20, overflowPages: 20 })
})

test('what could not be written is written the next time', async () => {
  const disk = newDisk()
  const memory = await disk.memory()
  remember(memory, 0, MANY)
  const fail = () => {
    memory.write()
    throw new Error('cannot')
  }
  expect(() => disk.checked.writeSync(fail)).toThrow('cannot')
  expect(recalled(await disk.memory(), MANY)).toEqual([])
  remember(memory, MANY, MANY + 10)
  expect(memory.hasNews()).toBe(true)
  await write(disk, memory)
  expect(memory.hasNews()).toBe(false)
  expect(recalled(await disk.memory(), MANY + 10)).toHaveLength(MANY + 10)
})

test.each([1, 112, 113, 114, 200])(
  'of all events at least the newest %i are recalled, and at most twice as many',
  async (entries) => {
    const disk = newDisk()
    let memory = await disk.memory(entries)
    for (let from = 0; from < 1000; from += 50) {
      remember(memory, from, from + 50)
      await write(disk, memory)
      // Half of the time by another process.
      if (from % 100 === 0) memory = await disk.memory(entries)
      const left = recalled(memory, from + 50)
      const fewest = Math.min(entries, from + 50)
      expect(left.slice(-fewest)).toEqual(Array.from({ length: fewest }, (_, n) => from + 50 - fewest + n))
      expect(left.length).toBeLessThanOrEqual(2 * entries)
    }
  },
)

test('with no entries hardly anything is remembered', async () => {
  const disk = newDisk()
  const memory = await disk.memory(0)
  remember(memory, 0, MANY)
  await write(disk, memory)
  expect(recalled(memory, MANY).length).toBeLessThanOrEqual(2)
})

test('fewer entries than there were are fewer from the next event on, and lose nothing that is within them', async () => {
  const disk = newDisk()
  const before = await disk.memory(1000)
  remember(before, 0, 900)
  await write(disk, before)
  for (const memory of [before, await disk.memory(100)]) {
    memory.limit({ window: WINDOW, entries: 100 })
    remember(memory, 900, 1000)
    expect(recalled(memory, 1000)).toHaveLength(1000)
    remember(memory, 1000, 1100)
    expect(recalled(memory, 1100)).toEqual(Array.from({ length: 200 }, (_, n) => 900 + n))
  }
})

test('of what is remembered twice, as after its window, the second counts', async () => {
  const disk = newDisk()
  const memory = await disk.memory()
  memory.remember(identity(1), { key: [1, 1], committedAt: Date.now() - 2 * WINDOW })
  expect(memory.recall(identity(1))).toBeUndefined()
  memory.remember(identity(1), known(7))
  expect(offsetOf(memory, 1)).toBe(7)
  await write(disk, memory)
  expect(offsetOf(await disk.memory(), 1)).toBe(7)
})

test('what is older than two windows takes no room', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const disk = newDisk()
  const memory = await disk.memory()
  const began = Date.now()
  remember(memory, 0, MANY)
  await write(disk, memory)
  expect(memory.since()).toBe(began)
  for (const event of [MANY, MANY + 1]) {
    vi.advanceTimersByTime(WINDOW)
    await write(disk, memory)
    remember(memory, event, event + 1)
    await write(disk, memory)
  }
  expect(memory.since()).toBe(began + WINDOW)
  expect(disk.tables.map((table) => (table.getStats() as Record<string, number>).entryCount)).toEqual([1, 1])
  expect((await disk.memory()).since()).toBe(began + WINDOW)
})
