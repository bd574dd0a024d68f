import { expect, onTestFinished, test } from 'vitest'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import type { ConfigMessage } from '../../src/workers/messages.js'
import { WorkerConfig } from '../../src/workers/worker-config.js'
import { testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

/** The pipelines of a worker of inline plugins; the texts that it is sent are those of config files. */
function workerOf({ single = false } = {}) {
  const inline = inlinePlugins()
  const definitions = inline.definitions.map((definition) =>
    definition.kind === 'source' ? { ...definition, single } : definition,
  )
  const read = (text: string) => readText(text, definitions)
  const drained: number[] = []
  const { log } = testContext()
  const config = new WorkerConfig({
    deps: {
      metrics: new ProcessMetrics(),
      log: () => log,
      http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
      signal: new AbortController().signal,
      commit: () => Promise.reject(new Error('no event comes')),
    },
    read: async ({ contents }) => read([...contents.values()].join('')),
    onDrained: (generation) => drained.push(generation),
  })
  onTestFinished(async () => void (await config.stop()))
  const messageOf = (generation: number, text: string): ConfigMessage => {
    const result = read(text)
    const revision = result.ok ? result.config.revision : 'none'
    return { generation, revision, contents: [['/config.json', text]], targetStates: {} }
  }
  return { config, drained, inline, messageOf }
}

const SECOND = inlineConfig({ transforms: [{ plugin: 'everything', config: { size: 4 } }] })

test('the next config is committed in steps, and the one before is drained when no event is under it any more', async () => {
  const { config, drained, messageOf } = workerOf()
  await config.start(messageOf(1, inlineConfig()))
  const [before] = config.running()
  await config.prepare({ kind: 'prepare', config: messageOf(2, SECOND), restart: [] })
  await config.quiesce()
  expect(config.running()).toEqual([before])
  config.commit()
  const [after] = config.running()
  expect(after).not.toBe(before)
  expect(after?.role === 'deciding' && config.addressOf(after)).toEqual({ generation: 2, pipeline: 0 })
  await expect.poll(() => drained).toEqual([1])
  // Unchanged stages are kept.
  expect(after?.stages.source).toBe(before?.stages.source)
  expect(after?.stages.sink).toBe(before?.stages.sink)
})

test('a rollback changes nothing', async () => {
  const { config, drained, messageOf, inline } = workerOf()
  await config.start(messageOf(1, inlineConfig()))
  const before = config.running()
  await config.prepare({ kind: 'prepare', config: messageOf(2, SECOND), restart: [] })
  await config.quiesce()
  await config.rollback()
  expect(config.running()).toEqual(before)
  expect(drained).toEqual([])
  expect(inline.order.filter((step) => step.endsWith('transform'))).toEqual([
    'start transform',
    'start transform',
    'stop transform',
  ])
})

test('a restarted stage is created again although the config says the same of it', async () => {
  const { config, messageOf } = workerOf()
  await config.start(messageOf(1, inlineConfig()))
  const [before] = config.running()
  const restart = [{ pipeline: 'orders', stage: 'transform.0.everything' }]
  await config.prepare({ kind: 'prepare', config: messageOf(2, inlineConfig()), restart })
  await config.quiesce()
  config.commit()
  const [after] = config.running()
  expect(after?.stages.transforms).not.toEqual(before?.stages.transforms)
  expect(after?.stages.source).toBe(before?.stages.source)
})

test('attempts go to the stages of the config that runs; those of the one before end before it is drained', async () => {
  const { config, drained, messageOf, inline } = workerOf()
  const { promise, resolve } = deferred()
  inline.acknowledge = () => promise.then(() => ({ kind: 'acknowledged' }))
  await config.start(messageOf(1, inlineConfig()))
  const before = config.postCommit('orders', 0)
  const attempt = before.instance.acknowledge({ id: 'a' })
  const restart = [{ pipeline: 'orders', stage: before.name }]
  await config.prepare({ kind: 'prepare', config: messageOf(2, inlineConfig()), restart })
  await config.quiesce()
  expect(config.postCommit('orders', 0)).toBe(before)
  config.commit()
  const after = config.postCommit('orders', 0)
  expect(after).not.toBe(before)
  inline.acknowledge = async () => ({ kind: 'acknowledged' })
  await after.instance.acknowledge({ id: 'b' })
  expect([inline.acknowledged, drained]).toEqual([[{ id: 'b' }], []])
  resolve()
  expect(await attempt).toEqual({ kind: 'acknowledged' })
  await expect.poll(() => drained).toEqual([1])
  expect(inline.order.filter((step) => step.endsWith('post-commit'))).toEqual([
    'start post-commit',
    'start post-commit',
    'stop post-commit',
  ])
})

test('a source that is to run once does not run in a worker', async () => {
  const { config, inline, messageOf } = workerOf({ single: true })
  await config.start(messageOf(1, inlineConfig()))
  expect(config.running()).toEqual([])
  expect(inline.order).toEqual([])
})
