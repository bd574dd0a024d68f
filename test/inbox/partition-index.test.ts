import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PartitionIndex } from '../../src/inbox/partition-index.js'

const identity = (id: number): string => hash('sha256', `event ${id}`, 'binary')
const WINDOW = 100
const ENTRIES = 10

/** Ids with the times at which they came, which never go back. */
const arrivals = fc.array(fc.record({ id: fc.nat(20), pause: fc.nat(40) }), { maxLength: 200 }).map((all) => {
  let time = 1000
  return all.map(({ id, pause }) => {
    time += pause
    return { id, time }
  })
})

interface Arrival {
  readonly id: number
  readonly time: number
}

/** The arrivals that count as new events, as an owner that sees them all decides. */
function workOff(index: PartitionIndex, all: readonly Arrival[]): Arrival[] {
  return all.filter(({ id, time }) => {
    if (index.has(identity(id), time)) return false
    index.insert(identity(id), time)
    return true
  })
}

test('an event is a redelivery within the window of the one that was new, as far as so many entries reach', () => {
  fc.assert(
    fc.property(arrivals, (all) => {
      const index = new PartitionIndex({ window: WINDOW, entries: ENTRIES })
      const delivered: Arrival[] = []
      for (const { id, time } of all) {
        const isKnown = index.has(identity(id), time)
        const before = delivered.findLastIndex((each) => each.id === id)
        const isWithin = before !== -1 && time - (delivered[before]?.time ?? 0) <= WINDOW
        if (!isWithin) expect(isKnown).toBe(false)
        // It may keep up to twice as many, and never fewer.
        else if (delivered.length - before <= ENTRIES) expect(isKnown).toBe(true)
        if (isKnown) continue
        delivered.push({ id, time })
        index.insert(identity(id), time)
      }
    }),
  )
})

test('an owner that was restored from the window recognises every redelivery that the owner before would have', () => {
  fc.assert(
    fc.property(arrivals, fc.nat(200), (all, at) => {
      const index = new PartitionIndex({ window: WINDOW, entries: 1000 })
      const earlier = all.slice(0, at)
      workOff(index, earlier)
      const restored = new PartitionIndex({ window: WINDOW, entries: 1000 })
      const from = (all[at]?.time ?? 0) - WINDOW
      for (const { id, time } of earlier) if (time >= from) restored.insert(identity(id), time)
      for (const { id, time } of all.slice(at, at + 1))
        if (index.has(identity(id), time)) expect(restored.has(identity(id), time)).toBe(true)
    }),
  )
})

test('an index without entries knows nothing', () => {
  const index = new PartitionIndex({ window: WINDOW, entries: 0 })
  index.insert(identity(1), 0)
  index.insert(identity(2), 0)
  expect(index.has(identity(1), 0)).toBe(false)
  expect(index.since).toBeUndefined()
})
