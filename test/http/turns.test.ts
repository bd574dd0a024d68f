import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTurns } from '../../src/http/turns.js'

function recorded(share: number) {
  const turns = createTurns(share)
  const done: number[] = []
  const take = (number: number) => turns.take({ proceed: () => void done.push(number) })
  return { done, take }
}

test('what comes in a turn that has not done its share is done at once', () => {
  const { done, take } = recorded(3)
  for (const number of [1, 2, 3]) take(number)
  expect(done).toEqual([1, 2, 3])
})

test('what is beyond the share of a turn is done in those after it, in the order in which it came', async () => {
  const { done, take } = recorded(2)
  for (const number of [1, 2, 3, 4, 5]) take(number)
  expect(done).toEqual([1, 2])
  await turn()
  expect(done).toEqual([1, 2, 3, 4])
  take(6)
  take(7)
  expect(done).toEqual([1, 2, 3, 4])
  await turn()
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  await turn()
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  await turn()
  take(8)
  expect(done).toHaveLength(8)
})
