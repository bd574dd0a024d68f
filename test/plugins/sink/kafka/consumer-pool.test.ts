import { expect, test } from 'vitest'
import type { Consumer } from '../../../../src/plugins/sink/kafka/consumer.js'
import { createConsumerPool } from '../../../../src/plugins/sink/kafka/consumer-pool.js'

function simulate(limit: number) {
  const open = new Set<string>()
  const events: string[] = []
  let most = 0
  const pool = createConsumerPool(async (group) => {
    open.add(group)
    most = Math.max(most, open.size)
    events.push(`open ${group}`)
    return { committing: () => false, close: async () => void open.delete(group) } as Consumer
  }, limit)
  return { pool, open, events, most: () => most }
}

test('60 groups take turns with two consumers', async () => {
  const { pool, open, most } = simulate(2)
  const groups = Array.from({ length: 60 }, (_, index) => `headgate.${index}`)
  const answers = await Promise.all(groups.map((group) => pool.use(group, async () => group)))
  expect(answers).toEqual(groups)
  expect(most()).toBe(2)
  await pool.close()
  expect(open.size).toBe(0)
})

test('a group that is asked for again finds its consumer open, and keeps its order', async () => {
  const { pool, events } = simulate(2)
  const done: number[] = []
  await Promise.all([1, 2, 3].map((number) => pool.use('a', async () => done.push(number))))
  await pool.use('b', async () => {})
  await pool.use('a', async () => {})
  expect(done).toEqual([1, 2, 3])
  expect(events).toEqual(['open a', 'open b'])
  await pool.close()
})

test('a question that fails does not stop those behind it', async () => {
  const { pool } = simulate(1)
  const failed = pool.use('a', () => Promise.reject(new Error('no answer')))
  const next = pool.use('b', async () => 'answer')
  await expect(failed).rejects.toThrow('no answer')
  expect(await next).toBe('answer')
  await pool.close()
})
