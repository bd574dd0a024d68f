import { expect, test } from 'vitest'
import type { Pipeline } from '../../src/pipeline/pipeline.js'
import { createGenerations } from '../../src/workers/generations.js'

const pipelineOf = (name: string) => ({ name }) as Pipeline

async function hasEnded(ended: Promise<void>): Promise<boolean> {
  let over = false
  void ended.then(() => {
    over = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return over
}

test('a config has ended when the last worker has left it, and until then its events find its pipelines', async () => {
  const generations = createGenerations<string>()
  const orders = pipelineOf('orders')
  const first = generations.add([pipelineOf('other'), orders])
  const ended = generations.ended(orders)
  generations.leave(first, ['one', 'two'])
  generations.left(first, 'one')
  expect(await hasEnded(ended)).toBe(false)
  expect(generations.pipeline(first, 1)).toBe(orders)
  generations.left(first, 'two')
  expect(await hasEnded(ended)).toBe(true)
  expect(generations.pipeline(first, 1)).toBeUndefined()
})

test('a worker that is gone has left every config', async () => {
  const generations = createGenerations<string>()
  const orders = pipelineOf('orders')
  const first = generations.add([orders])
  const ended = generations.ended(orders)
  generations.leave(first, ['one'])
  generations.gone('one')
  expect(await hasEnded(ended)).toBe(true)
})

test('without workers a config has ended at once', async () => {
  const generations = createGenerations<string>()
  const orders = pipelineOf('orders')
  const ended = generations.ended(orders)
  expect(await hasEnded(ended)).toBe(true)
  const first = generations.add([orders])
  const later = generations.ended(orders)
  generations.leave(first, [])
  expect(await hasEnded(later)).toBe(true)
})
