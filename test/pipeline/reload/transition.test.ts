import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../../src/contract/errors.js'
import { deferred } from '../../helpers/deferred.js'
import { bench, pipelineOf, type Seen } from './setup.js'

const TWO = {
  pipelines: { one: pipelineOf({ sink: 1, source: 1 }), two: pipelineOf({ sink: 2, source: 2 }) },
}

test('no pipeline waits for the sink of another one with its start', async () => {
  const { promise: otherRuns, resolve } = deferred()
  const sources: number[] = []
  await bench(TWO, async ({ kind, n }) => {
    if (kind === 'sink' && n === 1) await otherRuns
    if (kind !== 'source') return
    sources.push(n)
    if (n === 2) resolve()
  })
  expect(sources).toEqual([2, 1])
})

test('if one pipeline can never work, the others are stopped again', async () => {
  const seen = new Set<Seen>()
  const never = new HeadgateError('HG_KAFKA_PARTITION_MISSING', 'There is no such partition.')
  const { promise: otherRuns, resolve } = deferred()
  const starting = bench(TWO, async (stage) => {
    seen.add(stage)
    if (stage.kind === 'source' && stage.n === 2) resolve()
    if (stage.kind !== 'sink' || stage.n !== 1) return
    await otherRuns
    throw never
  })
  await expect(starting).rejects.toBe(never)
  expect([...seen].map(({ kind, n }) => `${kind} ${n}`)).toContain('source 2')
  expect([...seen].filter(({ state }) => state === 'started')).toEqual([])
})

test('a reload waits until a new stage is ready', async () => {
  const it = await bench()
  const { promise: isReady, resolve } = deferred()
  it.notReady = ['Kafka is not connected yet.']
  it.ready = () => isReady
  const reloaded = it.change({ pipelines: { orders: pipelineOf({ sink: 2 }) } })
  await vi.waitUntil(() => it.alive('sink').length === 2)
  await it.take('a')
  expect(it.reloader.running()[0]?.settings.sink.config).toEqual({ n: 1 })
  it.notReady = []
  resolve()
  expect(await reloaded).toMatchObject({ result: 'success' })
  expect(it.reloader.running()[0]?.settings.sink.config).toEqual({ n: 2 })
})

test('a reload fails with the reasons of a stage that is still not ready', async () => {
  const it = await bench()
  it.notReady = ['The stage is not ready, and does not tell when it will be.']
  const reloaded = await it.change({ pipelines: { orders: pipelineOf({ sink: 2 }) } })
  expect(reloaded).toMatchObject({ result: 'failure', error: { message: it.notReady[0] } })
  expect(it.alive('sink').map(({ n }) => n)).toEqual([1])
})
