import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { clientConfig } from '../../../../src/plugins/sink/kafka/properties.js'
import { TopicIds } from '../../../../src/plugins/sink/kafka/topic-ids.js'
import { startMockCluster } from './mock-cluster.js'

function topicIds(brokers: string, properties = {}): TopicIds {
  const ids = new TopicIds(clientConfig(brokers, properties, 'test'), brokers)
  onTestFinished(() => ids.close())
  return ids
}

test('tells the identity of each topic, the same one each time, and another one on another cluster', async () => {
  const [one, other] = await Promise.all([startMockCluster(['a', 'b']), startMockCluster(['a'])])
  const ids = topicIds(one.bootstrap)
  const first = await ids.identify(['a', 'b'])
  expect([...(first?.keys() ?? [])]).toEqual(['a', 'b'])
  expect(first?.get('a')).not.toBe(first?.get('b'))
  expect(await ids.identify(['a', 'b'])).toEqual(first)
  const there = await topicIds(other.bootstrap).identify(['a'])
  expect(there?.get('a')).toMatch(/\S/)
  expect(there?.get('a')).not.toBe(first?.get('a'))
})

test('asks at another address when the first one does not answer, and connects again when a connection was closed', async () => {
  const { bootstrap } = await startMockCluster(['a'])
  let connections = 0
  const broken = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void broken.close())
  const { port } = broken.address() as { port: number }
  const ids = topicIds(`127.0.0.1:${port},127.0.0.1:1,${bootstrap}`)
  expect((await ids.identify(['a']))?.size).toBe(1)
  expect((await ids.identify(['a']))?.size).toBe(1)
  expect(connections).toBe(1)
})

test('tells nothing when the cluster does not answer, or when only librdkafka can log in', async () => {
  expect(await topicIds('127.0.0.1:1').identify(['a'])).toBeUndefined()
  const { bootstrap } = await startMockCluster(['a'])
  const kerberos = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'GSSAPI' }
  expect(await topicIds(bootstrap, kerberos).identify(['a'])).toBeUndefined()
  const ids = topicIds(bootstrap)
  ids.close()
  expect(await ids.identify(['a'])).toBeUndefined()
})
