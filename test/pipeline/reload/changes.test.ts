import { expect, test } from 'vitest'
import type { Pipeline } from '../../../src/pipeline/pipeline.js'
import {
  added,
  type PipelineChange,
  removed,
  replaced,
  stageAfter,
} from '../../../src/pipeline/reload/changes.js'
import { bench, pipelineOf } from './setup.js'

const fatesOf = ({ steps }: PipelineChange) =>
  steps.map((step) => step.map(({ part, fate }) => `${part.kind} ${fate}`))

test('each part of a pipeline is kept, added or removed, in start order', async () => {
  const it = await bench()
  const [before] = it.reloader.running() as [Pipeline]
  await it.change({ pipelines: { orders: pipelineOf({ transform: 2, post: [2] }) } })
  const [after] = it.reloader.running() as [Pipeline]
  expect(fatesOf(replaced(before, after))).toEqual([
    ['stage added', 'stage kept', 'stage removed'],
    ['ledger kept'],
    ['stage added', 'stage removed'],
    ['acknowledger added', 'acknowledger removed'],
    ['source kept'],
  ])
  const all = (fate: string) => [
    [`stage ${fate}`, `stage ${fate}`],
    [`ledger ${fate}`],
    [`stage ${fate}`],
    [`acknowledger ${fate}`],
    [`source ${fate}`],
  ]
  expect(fatesOf(added(after))).toEqual(all('added'))
  expect(fatesOf(removed(after))).toEqual(all('removed'))
})

test('a reload starts parts in the order of a first start', async () => {
  const it = await bench()
  const started: string[] = []
  it.start = async ({ kind }) => void started.push(kind)
  const orders = pipelineOf({ source: 2, transform: 2, sink: 2, post: [2] })
  const firstStart = ['post-commit', 'sink', 'transform', 'source']
  await it.change({ pipelines: { orders } })
  expect(started).toEqual(firstStart)
  await it.change({ pipelines: { orders, other: pipelineOf() } })
  expect(started).toEqual([...firstStart, ...firstStart])
})

const stage = (plugin: string, n: number) => ({ plugin, config: { n } }) as never

test.each([
  ['the same stages', [stage('a', 1), stage('b', 1)], [stage('a', 1), stage('b', 1)], undefined],
  ['an edited stage', [stage('a', 1)], [stage('a', 2)], undefined],
  ['another order', [stage('a', 1), stage('b', 1)], [stage('b', 1), stage('a', 1)], [0, 0]],
  ['a removed first stage', [stage('a', 1), stage('b', 1)], [stage('b', 1)], [0, 0]],
  ['an inserted first stage', [stage('b', 1)], [stage('a', 1), stage('b', 1)], [1]],
  ['a removed last stage', [stage('a', 1), stage('b', 1)], [stage('a', 1)], [0, Number.POSITIVE_INFINITY]],
])(
  'with %s, acknowledgements go on at the first stage that they have not passed',
  (_, running, next, expected) => {
    const after = stageAfter(running, next)
    expect(after && running.map((_, index) => after(index))).toEqual(expected)
  },
)
