import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HashIndex } from '../../src/ledger/dedup-generation.js'

const identity = (text: string) => hash('sha256', text, 'binary').slice(0, 16)

it('finds the newest row of an identity, and none of one that was never added', () => {
  fc.assert(
    fc.property(
      // Few different texts, so that some come again.
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 }),
      fc.integer({ min: 0, max: 20 }),
      (added, room) => {
        const rows = added.map((number) => identity(`known ${number}`))
        const index = new HashIndex(rows.length + room, (row, wanted) => rows[row] === wanted)
        for (const [row, known] of rows.entries()) index.insert(known, row)
        for (const known of rows) expect(index.lookup(known)).toBe(rows.lastIndexOf(known))
        for (const number of added) expect(index.lookup(identity(`new ${number}`))).toBeUndefined()
      },
    ),
  )
})

it('rules out nearly all unknown identities without reading a row', () => {
  const capacity = 10_000
  let looks = 0
  const index = new HashIndex(capacity, () => {
    looks++
    return false
  })
  for (let row = 0; row < capacity; row++) index.insert(identity(`known ${row}`), row)
  for (let n = 0; n < capacity; n++) index.lookup(identity(`new ${n}`))
  expect(looks).toBeLessThan(capacity / 100)
})
