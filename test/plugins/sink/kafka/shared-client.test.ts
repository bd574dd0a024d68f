import { expect, onTestFinished, test } from 'vitest'
import type { Sink } from '../../../../src/contract/index.js'
import { ProcessMetrics } from '../../../../src/metrics/registry.js'
import { createShared } from '../../../../src/pipeline/shared.js'
import { kafkaSink } from '../../../../src/plugins/sink/kafka/index.js'
import { fillDefaults, testContext } from '../../../helpers/context.js'
import { startMockCluster } from './mock-cluster.js'

const TARGET = { topic: 'orders', partition: 1 }
const RECORD = { target: TARGET, key: null, value: Buffer.from('{}'), headers: [] }

/** A process with pipelines that have sinks of their own, each written out. */
async function simulate(properties: object = {}) {
  const { bootstrap } = await startMockCluster(['orders'])
  const metrics = new ProcessMetrics()
  const process = testContext()
  const shared = createShared({ metrics, log: () => process.log, signal: process.signal })
  onTestFinished(() => process.abort())
  const start = async (pipeline: string, more: object = {}): Promise<Sink> => {
    const context = testContext({
      pipeline,
      share: (key, create) => shared.lease('kafka', key, pipeline, create),
    })
    const settings = { brokers: bootstrap, properties, ...more }
    const sink = kafkaSink.create(fillDefaults(kafkaSink, settings), context)
    sink.expect([{ target: TARGET, location: 'c.json:1:1' }])
    onTestFinished(async () => {
      process.abort()
      await sink.stop?.()
    })
    await sink.start?.()
    return sink
  }
  const clients = async () =>
    [
      ...(await metrics.registry.metrics()).matchAll(/^headgate_kafka_records_outstanding\{sink="(.*)"\}/gm),
    ].map(([, name]) => name)
  const sessions = () => process.lines.filter(({ message }) => message === 'Kafka takes records.').length
  return { start, clients, sessions }
}

test('sinks with the same brokers and properties share a client until the last of them stops', async () => {
  const { start, clients } = await simulate()
  const orders = await start('orders')
  const payments = await start('payments', { key: '/id' })
  expect(await clients()).toEqual(['orders'])
  await orders.send(RECORD)
  await orders.stop?.()
  await expect(orders.send(RECORD)).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  await payments.send(RECORD)
  expect((await payments.log?.partitions())?.[0]).toMatchObject({ end: 2 })
  await payments.stop?.()
  expect(await clients()).toEqual([])
})

test('a property that differs is another client', async () => {
  const { start, clients } = await simulate()
  await start('orders')
  await start('payments', { properties: { 'linger.ms': 7 } })
  expect(await clients()).toEqual(['orders', 'payments'])
})

test('a fence of one pipeline fails the records in flight of the others, and one new session serves all', async () => {
  // Records wait in the client, so that nothing is confirmed.
  const { start, sessions } = await simulate({ 'linger.ms': 60_000 })
  const orders = await start('orders')
  const payments = await start('payments')
  const uncertain = expect.objectContaining({ code: 'HG_KAFKA_NOT_DELIVERED', uncertain: true })
  const failed = [orders, payments].map((sink) => expect(sink.send(RECORD)).rejects.toEqual(uncertain))
  await orders.log?.fence()
  await Promise.all(failed)
  await payments.log?.fence()
  expect(sessions()).toBe(2)
  expect([...(orders.notReady?.() ?? []), ...(payments.notReady?.() ?? [])]).toEqual([])
})
