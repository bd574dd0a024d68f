import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRowIndex } from '../../src/ledger/row-index.js'

const identity = (text: string) => hash('sha256', text, 'binary').slice(0, 16)

it('finds the newest row of an identity, and none of one that was never added', () => {
  fc.assert(
    fc.property(
      // Few different texts, so that some come again.
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 }),
      fc.integer({ min: 0, max: 20 }),
      (added, room) => {
        const rows = added.map((number) => identity(`known ${number}`))
        const index = createRowIndex(rows.length + room, (row, wanted) => rows[row] === wanted)
        for (const [row, known] of rows.entries()) index.add(known, row)
        for (const known of rows) expect(index.find(known)).toBe(rows.lastIndexOf(known))
        for (const number of added) expect(index.find(identity(`new ${number}`))).toBeUndefined()
      },
    ),
  )
})

it('tells nearly all strangers without looking at a row', () => {
  const capacity = 10_000
  let looks = 0
  const index = createRowIndex(capacity, () => {
    looks++
    return false
  })
  for (let row = 0; row < capacity; row++) index.add(identity(`known ${row}`), row)
  for (let n = 0; n < capacity; n++) index.find(identity(`new ${n}`))
  expect(looks).toBeLessThan(capacity / 100)
})
