import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { clientConfig } from '../../../../../src/plugins/sink/kafka/properties.js'
import { BrokerConnections } from '../../../../../src/plugins/sink/kafka/protocol/broker-connections.js'
import { apiVersions } from '../../../../../src/plugins/sink/kafka/protocol/describe.js'
import { BrokerRefusal } from '../../../../../src/plugins/sink/kafka/protocol/group-requests.js'
import { countedBroker } from '../counted-broker.js'
import { startMockCluster } from '../mock-cluster.js'

function opened(brokers: string, properties = {}): BrokerConnections {
  const connections = new BrokerConnections(clientConfig(brokers, properties, 'test'), brokers)
  onTestFinished(() => connections.close())
  return connections
}

/** Something that accepts connections and never responds; `received` resolves with the first bytes. */
async function startSilentServer() {
  let receive = (_: Buffer): void => {}
  const received = new Promise<Buffer>((resolve) => {
    receive = resolve
  })
  const server = createServer((socket) => socket.on('error', () => {}).on('data', receive))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { readonly port: number }
  return { bootstrap: `127.0.0.1:${port}`, received }
}

function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

test('requests to a broker share one connection, which is opened again after the broker closed it', async () => {
  const { bootstrap } = await startMockCluster([])
  const broker = await countedBroker(bootstrap)
  const connections = opened(broker.bootstrap)
  const ask = () => connections.ask(connections.bootstrap, apiVersions)
  const found = await Promise.all(Array.from({ length: 20 }, ask))
  expect(new Set(found.map(({ size }) => size)).size).toBe(1)
  expect(broker.count()).toBe(1)
  broker.cut()
  await expect(ask()).rejects.toThrow()
  expect((await ask()).size).toBe(found[0]?.size)
  expect(broker.count()).toBe(2)
})

test('after requests to a bootstrap broker failed, the next one is asked first', async () => {
  const { bootstrap } = await startMockCluster([])
  const connections = opened(`127.0.0.1:1,${bootstrap},127.0.0.1:2`)
  const ask = () => connections.ask(connections.bootstrap, apiVersions)
  const failed = await Promise.allSettled([ask(), ask(), ask()])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect((await ask()).size).toBeGreaterThan(0)
})

test('a broker that refuses a request keeps its connection and its turn', async () => {
  const { bootstrap } = await startMockCluster([])
  const broker = await countedBroker(bootstrap)
  const connections = opened(`${broker.bootstrap},127.0.0.1:1`)
  const refuse = async () => {
    throw new BrokerRefusal(29)
  }
  await connections.ask(connections.bootstrap, apiVersions)
  await expect(connections.ask(connections.bootstrap, refuse)).rejects.toMatchObject({ code: 29 })
  await connections.ask(connections.bootstrap, apiVersions)
  expect(broker.count()).toBe(1)
})

test('brokers see the client id of the config', async () => {
  const named = await startSilentServer()
  const connections = opened(named.bootstrap, { 'client.id': 'billing' })
  const asked = connections.ask(connections.bootstrap, apiVersions)
  asked.catch(() => {})
  const request = await named.received
  expect(request.subarray(14, 14 + request.readInt16BE(12)).toString()).toBe('billing')
})

test('a broker that does not respond in time loses its connection', async () => {
  const silent = await startSilentServer()
  useFakeTimers()
  const connections = opened(silent.bootstrap)
  const asked = connections.ask(connections.bootstrap, apiVersions)
  const ended = expect(asked).rejects.toThrow('no response in time')
  await silent.received
  await vi.advanceTimersByTimeAsync(3000)
  await ended
  expect(connections.has(connections.bootstrap)).toBe(false)
})

test('a connection without requests is closed after a minute', async () => {
  const { bootstrap } = await startMockCluster([])
  const broker = await countedBroker(bootstrap)
  useFakeTimers()
  const connections = opened(broker.bootstrap)
  await connections.ask(connections.bootstrap, apiVersions)
  await vi.advanceTimersByTimeAsync(59_000)
  expect(connections.has(connections.bootstrap)).toBe(true)
  await vi.advanceTimersByTimeAsync(1000)
  expect(connections.has(connections.bootstrap)).toBe(false)
  vi.useRealTimers()
  await expect.poll(broker.open).toBe(0)
})

test('after its end it asks nobody', async () => {
  const { bootstrap } = await startMockCluster([])
  const broker = await countedBroker(bootstrap)
  const connections = opened(broker.bootstrap)
  connections.close()
  await expect(connections.ask(connections.bootstrap, apiVersions)).rejects.toThrow('it is closed')
  expect(broker.count()).toBe(0)
})
