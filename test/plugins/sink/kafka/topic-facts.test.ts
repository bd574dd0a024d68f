import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { clientConfig } from '../../../../src/plugins/sink/kafka/properties.js'
import { TopicFacts } from '../../../../src/plugins/sink/kafka/topic-facts.js'
import { startMockCluster } from './mock-cluster.js'

function topicFacts(brokers: string, properties = {}): TopicFacts {
  const facts = new TopicFacts(clientConfig(brokers, properties, 'test'), brokers)
  onTestFinished(() => facts.close())
  return facts
}

test('tells the identity of each topic, the same one each time, and another one on another cluster', async () => {
  const [one, other] = await Promise.all([startMockCluster(['a', 'b']), startMockCluster(['a'])])
  const facts = topicFacts(one.bootstrap)
  const first = await facts.identify(['a', 'b'])
  expect([...(first?.keys() ?? [])]).toEqual(['a', 'b'])
  expect(first?.get('a')).not.toBe(first?.get('b'))
  expect(await facts.identify(['a', 'b'])).toEqual(first)
  const there = await topicFacts(other.bootstrap).identify(['a'])
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
  const facts = topicFacts(`127.0.0.1:${port},127.0.0.1:1,${bootstrap}`)
  expect((await facts.identify(['a']))?.size).toBe(1)
  expect((await facts.identify(['a']))?.size).toBe(1)
  expect(connections).toBe(1)
})

test('tells no settings of a topic on a cluster that does not know the request for them', async () => {
  const { bootstrap } = await startMockCluster(['a'])
  expect(await topicFacts(bootstrap).settings('a', ['retention.ms'])).toBeUndefined()
})

test('tells nothing when the cluster does not answer, or when only librdkafka can log in', async () => {
  expect(await topicFacts('127.0.0.1:1').identify(['a'])).toBeUndefined()
  const { bootstrap } = await startMockCluster(['a'])
  const kerberos = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'GSSAPI' }
  expect(await topicFacts(bootstrap, kerberos).identify(['a'])).toBeUndefined()
  const facts = topicFacts(bootstrap)
  facts.close()
  expect(await facts.identify(['a'])).toBeUndefined()
})
