import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFilter } from '../../../src/pipeline/ledger/filter.js'

const identity = (text: string) => hash('sha256', text, 'binary').slice(0, 16)

it('never denies what was added', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { maxLength: 300 }),
      fc.integer({ min: 0, max: 200 }),
      (texts, capacity) => {
        const filter = createFilter(capacity)
        for (const text of texts) filter.add(identity(text))
        expect(texts.every((text) => filter.mayHave(identity(text)))).toBe(true)
      },
    ),
  )
})

it('denies nearly all that was not, when it is full', () => {
  const capacity = 10_000
  const filter = createFilter(capacity)
  for (let n = 0; n < capacity; n++) filter.add(identity(`known ${n}`))
  let mistaken = 0
  for (let n = 0; n < capacity; n++) if (filter.mayHave(identity(`new ${n}`))) mistaken++
  expect(mistaken).toBeLessThan(capacity / 100)
})
