import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Database, open } from 'lmdb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inSlices } from '../../src/ledger/in-slices.js'
import { temporaryDirectory } from '../helpers/context.js'

const SLICE = 2000

type Table = Database<true, string>

/** A table with so many rows, and what their keys are. */
async function tableWith(count: number): Promise<{ readonly table: Table; readonly keys: string[] }> {
  const database = open({ path: join(temporaryDirectory(), 'rows.mdb'), maxDbs: 1 })
  onTestFinished(() => database.close())
  const table = database.openDB<true, string>({ name: 'rows' })
  const keys = Array.from({ length: count }, () => randomBytes(16).toString('hex'))
  await database.batch(() => {
    for (const key of keys) table.put(key, true)
  })
  return { table, keys }
}

const keysOf = (table: Table, closed = () => false) =>
  inSlices(
    (range) => table.getKeys(range),
    (key) => key,
    closed,
  )

describe('rows that are read some at a time', () => {
  it.each([0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE, 5 * SLICE + 7])(
    'are each of %i once, in the order of their keys',
    async (count) => {
      const { table, keys } = await tableWith(count)
      const found: string[] = []
      for await (const some of keysOf(table)) {
        expect(some.length).toBeLessThanOrEqual(SLICE)
        found.push(...some)
      }
      expect(found).toEqual([...keys].sort())
    },
  )

  it('let others have their turn before each slice', async () => {
    const { table } = await tableWith(3 * SLICE)
    let turns = 0
    const count = () => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    let slices = 0
    for await (const some of keysOf(table)) {
      if (some.length > 0) slices++
      expect(turns).toBeGreaterThanOrEqual(slices)
    }
    clearImmediate(immediate)
    expect(slices).toBe(3)
  })

  it('are read no more once their table is closed', async () => {
    const { table } = await tableWith(3 * SLICE)
    let closed = false
    let slices = 0
    for await (const _ of keysOf(table, () => closed)) {
      slices++
      closed = true
    }
    expect(slices).toBe(1)
  })
})
