import { setImmediate as tick } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { TickBudget } from '../../src/http/tick-budget.js'

function recorded(budget: number) {
  const ticks = new TickBudget(budget)
  const done: number[] = []
  const take = (number: number) => ticks.take({ run: () => void done.push(number) })
  return { done, take }
}

test('work runs at once while the tick has budget left', () => {
  const { done, take } = recorded(3)
  for (const number of [1, 2, 3]) take(number)
  expect(done).toEqual([1, 2, 3])
})

test('work beyond the budget of a tick runs in the following ticks, in the order in which it came', async () => {
  const { done, take } = recorded(2)
  for (const number of [1, 2, 3, 4, 5]) take(number)
  expect(done).toEqual([1, 2])
  await tick()
  expect(done).toEqual([1, 2, 3, 4])
  take(6)
  take(7)
  expect(done).toEqual([1, 2, 3, 4])
  await tick()
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  await tick()
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  await tick()
  take(8)
  expect(done).toHaveLength(8)
})
