import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { expect, test } from 'vitest'
import { CheckedTables } from '../../src/ledger/checked-tables.js'
import { Damage, snapshotsIn, withFile } from '../../src/ledger/lmdb-pages.js'
import { checkTables } from '../../src/ledger/stored-rows.js'
import { temporaryDirectory } from '../helpers/context.js'

const PAGE = 4096
const MOMENTS = 24

/** The rows of each snapshot in a file, as a text; undefined for a damaged one. */
const snapshotsOf = (file: string): (string | undefined)[] =>
  withFile(file, (descriptor) => {
    try {
      return snapshotsIn(descriptor).map(({ contents }) => {
        try {
          const rows: string[] = []
          checkTables(contents().tables, (table, found) => {
            for (const { key, value } of found)
              rows.push(`${table} ${key.toString('hex')} ${value.toString('hex')}`)
          })
          return rows.join('\n')
        } catch (error) {
          if (error instanceof Damage) return undefined
          throw error
        }
      })
    } catch (error) {
      if (error instanceof Damage) return []
      throw error
    }
  })

/** A file after each of many transactions that change few rows: they reuse each other's pages. */
async function manyMoments(): Promise<{ moments: Buffer[]; states: Set<string> }> {
  const file = join(temporaryDirectory(), 'ledger.mdb')
  const database = open(file, { noSync: true, overlappingSync: false, eventTurnBatching: false, maxDbs: 10 })
  const tables = new CheckedTables(database, 'orders')
  const small = tables.table<number, number>('small')
  const large = tables.table<Buffer, number>('large', 'binary')
  const moments: Buffer[] = []
  const states = new Set<string>()
  for (let moment = 0; moment < MOMENTS; moment++) {
    await tables.write(() => {
      for (let row = 0; row < 300; row += 1 + moment) small.put(row, moment)
      for (let row = 0; row < 4; row++) large.put((moment + row) % 6, Buffer.alloc(4000, moment))
      if (moment % 3 === 0) small.remove(moment)
    })
    moments.push(readFileSync(file))
    for (const state of snapshotsOf(file)) states.add(state ?? 'damaged')
  }
  await database.close()
  return { moments, states }
}

test('pages of different transactions pass only if they make up one of these transactions', async () => {
  const { moments, states } = await manyMoments()
  expect(states.has('damaged')).toBe(false)
  const file = join(temporaryDirectory(), 'torn.mdb')
  const outcomes = { passed: 0, refused: 0 }
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: MOMENTS - 1 }),
      fc.array(fc.tuple(fc.nat(200), fc.nat(3)), { minLength: 1, maxLength: 12 }),
      (moment, older) => {
        const torn = Buffer.from(moments[moment] as Buffer)
        for (const [number, before] of older) {
          const at = (number % (torn.length / PAGE)) * PAGE
          moments[moment - before]?.subarray(at, at + PAGE).copy(torn, at)
        }
        writeFileSync(file, torn)
        for (const state of snapshotsOf(file)) {
          if (state !== undefined) expect(states).toContain(state)
          outcomes[state === undefined ? 'refused' : 'passed']++
        }
      },
    ),
    { numRuns: 400 },
  )
  expect(Math.min(outcomes.passed, outcomes.refused)).toBeGreaterThan(20)
})
