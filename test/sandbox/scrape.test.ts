import { expect, test } from 'vitest'
import { parseMetrics } from '../../src/sandbox/scrape.js'

const METRICS = parseMetrics(`# HELP headgate_events_total Events received, by how they ended.
# TYPE headgate_events_total counter
headgate_events_total{pipeline="orders",outcome="delivered"} 3
headgate_events_total{pipeline="bills",outcome="delivered"} 4
headgate_events_total{pipeline="orders",outcome="a \\"quoted\\", {odd} one"} 5
headgate_inflight_events 1.5e+2
`)

test('a sum takes the samples that have the labels', () => {
  expect(METRICS.sum('headgate_events_total')).toBe(12)
  expect(METRICS.sum('headgate_events_total', { outcome: 'delivered' })).toBe(7)
  expect(METRICS.sum('headgate_events_total', { outcome: 'delivered', pipeline: 'bills' })).toBe(4)
})

test('a metric without labels is read, and what is not there is 0', () => {
  expect(METRICS.sum('headgate_inflight_events')).toBe(150)
  expect(METRICS.sum('headgate_nothing')).toBe(0)
})

test('quotes and braces in a label do not end it', () => {
  expect(
    METRICS.sum('headgate_events_total', { outcome: 'a \\"quoted\\", {odd} one', pipeline: 'orders' }),
  ).toBe(5)
})
