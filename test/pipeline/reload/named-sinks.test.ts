import { expect, test } from 'vitest'
import { bench, pipelineOf, settledOn } from './setup.js'

const config = (n: number, ...names: string[]) => ({
  sinks: { main: { plugin: 'out', config: { n } } },
  pipelines: Object.fromEntries(names.map((name) => [name, { ...pipelineOf(), sink: 'main' }])),
})

test('a change of a named sink reaches all its pipelines at once', async () => {
  const it = await bench(config(1, 'orders', 'payments'))
  expect(await it.change(config(2, 'orders', 'payments'))).toMatchObject({
    result: 'success',
    changed: ['orders: sink.out', 'payments: sink.out'],
  })
  await settledOn(it, 'sink', [2, 2])
})

test('adding or removing a pipeline leaves the sinks of the others as they are', async () => {
  const it = await bench(config(1, 'orders'))
  const [orders] = it.alive('sink')
  expect(await it.change(config(1, 'orders', 'payments'))).toMatchObject({ changed: ['payments: new'] })
  expect(it.alive('sink')).toContain(orders)
  expect(await it.change(config(1, 'orders'))).toMatchObject({ changed: ['payments: gone'] })
  await settledOn(it, 'sink', [1])
  expect(it.alive('sink')).toEqual([orders])
})

test('a sink that moves from its pipeline to the named ones is kept', async () => {
  const it = await bench({ pipelines: { orders: pipelineOf() } })
  expect(await it.change(config(1, 'orders'))).toMatchObject({ result: 'success', changed: [] })
  expect(it.alive('sink')).toHaveLength(1)
})
