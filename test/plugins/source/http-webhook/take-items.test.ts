import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Outcome } from '../../../../src/contract/index.js'
import { takeItems } from '../../../../src/plugins/source/http-webhook/take-items.js'

const dropped = (id: string): Outcome => ({ kind: 'dropped', id })

/** Room for `most` events, in which each batch of the test has a place from the start. */
function roomFor(most: number) {
  let count = 0
  return {
    begin: () => {
      count++
    },
    room: {
      enter: () => {
        if (count >= most) return false
        count++
        return true
      },
      leave: () => {
        count--
      },
    },
    count: () => count,
  }
}

it('batches of any sizes share the room, no event is beyond it, and all of them end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 8 }),
      fc.scheduler(),
      async (most, sizes, scheduler) => {
        const { begin, room, count } = roomFor(most)
        let busy = 0
        let highest = 0
        const take = async (id: string) => {
          highest = Math.max(highest, ++busy)
          await scheduler.schedule(Promise.resolve(), id)
          busy--
          return dropped(id)
        }
        const taken = sizes.slice(0, most)
        for (const _ of taken) begin()
        const ofBatches = taken.map(async (size, batch) => {
          const ids = Array.from({ length: size }, (_, index) => `${batch}-${index}`)
          expect(await takeItems(ids, room, take)).toEqual(ids.map(dropped))
          room.leave()
        })
        await scheduler.waitFor(Promise.all(ofBatches))
        expect(highest).toBeLessThanOrEqual(most)
        expect(count()).toBe(0)
      },
    ),
    { numRuns: 50 },
  )
})

it('a batch goes on with the place that it came with, and takes more when there is room again', async () => {
  const { begin, room, count } = roomFor(2)
  begin()
  begin()
  const ends: (() => void)[] = []
  const take = (id: string) =>
    new Promise<Outcome>((resolve) => {
      ends.push(() => resolve(dropped(id)))
    })
  const batch = takeItems(['a', 'b', 'c', 'd'], room, take)
  expect(ends).toHaveLength(1)
  room.leave()
  ends[0]?.()
  await expect.poll(() => ends.length).toBe(3)
  expect(count()).toBe(2)
  for (const end of ends) end()
  await expect.poll(() => ends.length).toBe(4)
  ends[3]?.()
  expect(await batch).toEqual(['a', 'b', 'c', 'd'].map(dropped))
  expect(count()).toBe(1)
})
