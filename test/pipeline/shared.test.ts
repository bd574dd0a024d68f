import { expect, test } from 'vitest'
import { metric } from '../../src/contract/index.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { createShared } from '../../src/pipeline/shared.js'
import { testContext } from '../helpers/context.js'

const OUTSTANDING = metric({ name: 'kafka_records_outstanding', type: 'gauge', help: 'Records in flight.' })

function simulate() {
  const metrics = new ProcessMetrics()
  const { log, signal } = testContext()
  const shared = createShared({ metrics, log: () => log, signal })
  const events: string[] = []
  const lease = (key: string, name: string) =>
    shared.lease('kafka', key, name, (context) => {
      events.push(`create ${context.name}`)
      context.metrics.gauge(OUTSTANDING).set(events.length)
      return { stop: async () => void events.push(`stop ${context.name}`) }
    })
  const shown = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('headgate_kafka'))
  return { lease, events, shown }
}

test('the first user makes it, the last one ends it', async () => {
  const { lease, events } = simulate()
  const first = lease('a', 'orders')
  const second = lease('a', 'payments')
  expect(second.thing).toBe(first.thing)
  await first.release()
  await first.release()
  expect(events).toEqual(['create orders'])
  await second.release()
  expect(events).toEqual(['create orders', 'stop orders'])
})

test('a user that comes after the last release gets a new resource', async () => {
  const { lease, events } = simulate()
  const first = lease('a', 'orders')
  const ended = first.release()
  expect(lease('a', 'payments').thing).not.toBe(first.thing)
  await ended
  expect(events).toEqual(['create orders', 'stop orders', 'create payments'])
})

test('its series have its name, and the newer one of two with one name is shown', async () => {
  const { lease, shown } = simulate()
  const before = lease('a', 'orders')
  lease('b', 'orders')
  expect(await shown()).toEqual(['headgate_kafka_records_outstanding{sink="orders"} 2'])
  await before.release()
  expect(await shown()).toEqual(['headgate_kafka_records_outstanding{sink="orders"} 2'])
})
