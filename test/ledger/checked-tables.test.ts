import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { expect, test } from 'vitest'
import { CheckedTables } from '../../src/ledger/checked-tables.js'
import { Damage, snapshotsIn, withFile } from '../../src/ledger/lmdb-pages.js'
import { checkTables, onlyRead } from '../../src/ledger/stored-rows.js'
import { temporaryDirectory } from '../helpers/context.js'

const OPTIONS = { noSync: true, overlappingSync: false, eventTurnBatching: false, maxDbs: 10 }

/** How many rows the newest snapshot of a file has; throws Damage if they do not match their checksums. */
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
