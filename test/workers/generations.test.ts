import { expect, test } from 'vitest'
import type { Pipeline } from '../../src/pipeline/pipeline.js'
import { Generations } from '../../src/workers/generations.js'

const pipelineOf = (name: string) => ({ name }) as Pipeline

async function isResolved(promise: Promise<void>): Promise<boolean> {
  let over = false
  void promise.then(() => {
    over = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return over
}

test('a config is drained when the last worker has drained it, and until then its events find its pipelines', async () => {
  const generations = new Generations<string>()
  const orders = pipelineOf('orders')
  const first = generations.add([pipelineOf('other'), orders])
  const drained = generations.drained(orders)
  generations.drain(first, ['one', 'two'])
  generations.workerDrained(first, 'one')
  expect(await isResolved(drained)).toBe(false)
  expect(generations.pipeline(first, 1)).toBe(orders)
  generations.workerDrained(first, 'two')
  expect(await isResolved(drained)).toBe(true)
  expect(generations.pipeline(first, 1)).toBeUndefined()
})

test('a worker that has ended has drained every config', async () => {
  const generations = new Generations<string>()
  const orders = pipelineOf('orders')
  const first = generations.add([orders])
  const drained = generations.drained(orders)
  generations.drain(first, ['one'])
  generations.workerEnded('one')
  expect(await isResolved(drained)).toBe(true)
})

test('without workers a config is drained at once', async () => {
  const generations = new Generations<string>()
  const orders = pipelineOf('orders')
  const drained = generations.drained(orders)
  expect(await isResolved(drained)).toBe(true)
  const first = generations.add([orders])
  const later = generations.drained(orders)
  generations.drain(first, [])
  expect(await isResolved(later)).toBe(true)
})
