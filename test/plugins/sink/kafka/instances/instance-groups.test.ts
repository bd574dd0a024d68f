import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { InstanceGroups } from '../../../../../src/plugins/sink/kafka/instances/instance-groups.js'
import { clientConfig, type Properties } from '../../../../../src/plugins/sink/kafka/properties.js'
import { coordinatorsOf } from '../../../../../src/plugins/sink/kafka/protocol/coordinators.js'
import { int16, int32, text } from '../../../../../src/plugins/sink/kafka/protocol/wire.js'
import { testContext } from '../../../../helpers/context.js'
import { startMockCluster } from '../mock-cluster.js'

const REFUSED = 30
const never = new AbortController().signal

function join(brokers: string, properties: Properties = {}) {
  const { log, lines } = testContext()
  const groups = new InstanceGroups(coordinatorsOf(clientConfig(brokers, properties, 'test'), brokers))
  const instances = groups.of('orders', 'headgate.orders.instances', log)
  onTestFinished(() => instances.leave(true))
  instances.join('id', () => {})
  return { instances, lines }
}

/** A broker that refuses the group: it responds to each request with this error, and names no coordinator. */
async function startRefusingBroker(): Promise<string> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (request) => {
        const body = Buffer.concat([request.subarray(8, 12), int16(REFUSED), int32(-1), text(''), int32(-1)])
        socket.write(Buffer.concat([int32(body.length), body]))
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

test('without the right to use the group, an instance is not active, and says which right it lacks', async () => {
  const { instances, lines } = join(await startRefusingBroker())
  await expect
    .poll(() => instances.reason())
    .toBe(
      'Headgate cannot find out whether another instance of pipeline "orders" is active: consumer group "headgate.orders.instances": the user of the sink lacks the right Read on it.',
    )
  expect(instances.isActive()).toBe(false)
  expect(lines).toMatchObject([{ level: 'warn', fields: { code: 'HG_KAFKA_NOT_ALLOWED' } }])
})

test('while no broker responds, an instance is not active, and becomes active later', async () => {
  const { instances } = join('127.0.0.1:1')
  await expect.poll(() => instances.reason(), { timeout: 5000 }).toContain('ECONNREFUSED')
  expect(instances.state()).toEqual({ kind: 'undecided' })
  expect(instances.isActive()).toBe(false)
})

test('the embedded Kafka has no such groups: the instance is active at once', async () => {
  const { bootstrap } = await startMockCluster([])
  const { instances, lines } = join(bootstrap)
  expect(await instances.active(never)).toBe(false)
  expect(instances.isActive()).toBe(true)
  expect(instances.state()).toEqual({ kind: 'unguarded' })
  expect(lines.filter(({ level }) => level === 'warn')).toEqual([])
})

test('where only librdkafka can log in, a warning says that a second instance would not be noticed', async () => {
  const { instances, lines } = join('127.0.0.1:1', {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'GSSAPI',
  })
  expect(await instances.active(never)).toBe(false)
  expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('would not be noticed') }])
})

test('an instance that has left is not active', async () => {
  const { bootstrap } = await startMockCluster([])
  const { instances } = join(bootstrap)
  await instances.active(never)
  await instances.leave(false)
  expect(instances.isActive()).toBe(false)
})
