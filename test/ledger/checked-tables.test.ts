import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Database, open } from 'lmdb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CheckedTables, inSlices } from '../../src/ledger/checked-tables.js'
import { Damage, snapshotsIn, withFile } from '../../src/ledger/lmdb-pages.js'
import { checkTables, onlyRead } from '../../src/ledger/stored-rows.js'
import { temporaryDirectory } from '../helpers/context.js'

const OPTIONS = { noSync: true, overlappingSync: false, eventTurnBatching: false, maxDbs: 10 }

/** The number of rows in the newest snapshot of a file; throws Damage if they do not match their checksums. */
const rowsIn = (file: string): number =>
  withFile(file, (descriptor) => {
    const [newest] = snapshotsIn(descriptor)
    return checkTables(newest?.contents().tables ?? [], onlyRead)
  })

const change = fc.oneof(
  fc.record({ key: fc.nat(20), length: fc.nat(9000) }),
  fc.record({ key: fc.nat(20), length: fc.constant(undefined) }),
  fc.constant('clear' as const),
)

test('rows match their checksums after any puts, removes and clears, in any transactions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ changes: fc.array(change, { maxLength: 8 }), fails: fc.boolean() }), {
        maxLength: 6,
      }),
      async (transactions) => {
        const file = join(temporaryDirectory(), 'ledger.mdb')
        const database = open(file, OPTIONS)
        const tables = new CheckedTables(database, 'orders')
        const small = tables.table<string, [number, number]>('small')
        const large = tables.table<Buffer, number>('large', 'binary')
        const keys = new Set<number>()
        for (const { changes, fails } of transactions) {
          const fill = () => {
            for (const each of changes) {
              if (each === 'clear') large.clear()
              else if (each.length === undefined) large.remove(each.key)
              else large.put(each.key, Buffer.alloc(each.length, each.key))
              if (each !== 'clear') small.put([1, each.key], String(each.length))
            }
            if (fails) throw new Error('cannot')
          }
          if (fails) expect(() => tables.writeSync(fill)).toThrow('cannot')
          else {
            await tables.write(fill)
            for (const each of changes) {
              if (each === 'clear') keys.clear()
              else if (each.length === undefined) keys.delete(each.key)
              else keys.add(each.key)
            }
          }
        }
        expect([...large.getKeys({})]).toEqual([...keys].toSorted((a, b) => a - b))
        await database.close()
        expect(() => rowsIn(file)).not.toThrow()
      },
    ),
    { numRuns: 40 },
  )
})

test('a row that was written without its checksum is detected', async () => {
  const file = join(temporaryDirectory(), 'ledger.mdb')
  const database = open(file, OPTIONS)
  const tables = new CheckedTables(database, 'orders')
  const numbers = tables.table<number, string>('numbers')
  await tables.write(() => numbers.put('a', 1))
  await database.openDB<number, string>({ name: 'orders/numbers' }).put('a', 2)
  await database.close()
  expect(() => rowsIn(file)).toThrow(
    new Damage('the rows of table "orders/numbers" do not match their checksum'),
  )
})

test('owners do not disturb each other, and tables that are not opened keep their checksums', async () => {
  const file = join(temporaryDirectory(), 'ledger.mdb')
  const database = open(file, OPTIONS)
  for (const owner of ['', 'orders', 'a/b']) {
    for (const name of ['one', 'two']) {
      const tables = new CheckedTables(database, owner)
      const table = tables.table<string, string>(name)
      tables.writeSync(() => table.put('key', `${owner} ${name}`))
    }
  }
  await database.close()
  expect(rowsIn(file)).toBe(9)
})

const SLICE = 2000

type KeyTable = Database<true, string>

/** A table with so many rows, and their keys. */
async function tableWith(count: number): Promise<{ readonly table: KeyTable; readonly keys: string[] }> {
  const database = open({ path: join(temporaryDirectory(), 'rows.mdb'), maxDbs: 1 })
  onTestFinished(() => database.close())
  const table = database.openDB<true, string>({ name: 'rows' })
  const keys = Array.from({ length: count }, () => randomBytes(16).toString('hex'))
  await database.batch(() => {
    for (const key of keys) table.put(key, true)
  })
  return { table, keys }
}

const keysInSlices = (table: KeyTable, closed = () => false) =>
  inSlices(
    (range) => table.getKeys(range),
    (key) => key,
    closed,
  )

describe('rows that are read in slices', () => {
  test.each([0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE, 5 * SLICE + 7])(
    'are each of %i once, in the order of their keys',
    async (count) => {
      const { table, keys } = await tableWith(count)
      const found: string[] = []
      for await (const some of keysInSlices(table)) {
        expect(some.length).toBeLessThanOrEqual(SLICE)
        found.push(...some)
      }
      expect(found).toEqual([...keys].sort())
    },
  )

  test('let other work run before each slice', async () => {
    const { table } = await tableWith(3 * SLICE)
    let turns = 0
    const count = () => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    let slices = 0
    for await (const some of keysInSlices(table)) {
      if (some.length > 0) slices++
      expect(turns).toBeGreaterThanOrEqual(slices)
    }
    clearImmediate(immediate)
    expect(slices).toBe(3)
  })

  test('are read no more once their table is closed', async () => {
    const { table } = await tableWith(3 * SLICE)
    let closed = false
    let slices = 0
    for await (const _ of keysInSlices(table, () => closed)) {
      slices++
      closed = true
    }
    expect(slices).toBe(1)
  })
})
