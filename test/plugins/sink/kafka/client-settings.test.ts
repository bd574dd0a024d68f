import { expect, test } from 'vitest'
import { clientKey } from '../../../../src/plugins/sink/kafka/client-settings.js'

test('the same brokers and properties are one client, however they are written', () => {
  const one = { brokers: 'k1:9092, k2:9092', properties: { 'linger.ms': 5, 'client.id': 'a' } }
  const other = { brokers: 'k1:9092,k2:9092', properties: { 'client.id': 'a', 'linger.ms': '5' } }
  expect(clientKey(one)).toBe(clientKey(other))
})

test('other brokers or another property are another client, and the key shows no password', () => {
  const base = { brokers: 'k1:9092', properties: { 'sasl.password': 'hunter2' } }
  expect(clientKey({ ...base, brokers: 'k2:9092' })).not.toBe(clientKey(base))
  expect(clientKey({ ...base, properties: { 'sasl.password': 'hunter3' } })).not.toBe(clientKey(base))
  expect(clientKey(base)).not.toContain('hunter2')
})
