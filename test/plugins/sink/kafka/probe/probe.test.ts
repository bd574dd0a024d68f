import { expect, test } from 'vitest'
import type { ProbeContext, Probed } from '../../../../../src/contract/index.js'
import { kafkaSink } from '../../../../../src/plugins/sink/kafka/index.js'
import { collected } from '../../../../helpers/collected.js'
import { fillDefaults, testContext } from '../../../../helpers/context.js'
import { freePorts } from '../../../../helpers/free-ports.js'
import { startMockCluster } from '../mock-cluster.js'

async function probed(brokers: string, overrides: Partial<ProbeContext> = {}): Promise<Probed[]> {
  const { files, signal } = testContext()
  const context: ProbeContext = {
    pipeline: 'test',
    files,
    signal,
    at: '/sink/config',
    targets: [{ at: '/rule', target: { topic: 'orders', partition: 3 } }],
    sources: [],
    isShared: false,
    workers: 0,
    maxBody: undefined,
    redeliveryWindow: 1000,
    timeout: 6000,
    ...overrides,
  }
  return collected(kafkaSink.probe?.(fillDefaults(kafkaSink, { brokers }), context))
}

test('an embedded broker, which knows neither settings nor rights, is checked as far as it goes', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const found = await probed(bootstrap)
  expect(found.filter(({ kind }) => kind === 'error')).toEqual([])
  const messages = found.flatMap((one) => ('message' in one ? [`${one.kind} ${one.message}`] : []))
  expect(messages).toContain(`checked Kafka responds at ${bootstrap}.`)
  expect(messages).toContain('checked Topic "orders" exists: 4 partitions, one replica.')
  expect(messages).toContainEqual(
    expect.stringMatching(/^unchecked Topic "orders": min\.insync\.replicas.* could not be read: .+\.$/),
  )
  expect(messages).toContainEqual(expect.stringMatching(/^unchecked Consumer group "headgate\.test"/))
})

test('the groups that are looked at are those that instances of the pipeline use', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const groups = (found: readonly Probed[]) =>
    found.flatMap((one) =>
      'message' in one ? (/consumer group "([^"]+)"/i.exec(one.message)?.[1] ?? []) : [],
    )
  expect(groups(await probed(bootstrap))).toEqual(['headgate.test', 'headgate.test.instances'])
  const shared = await probed(bootstrap, { isShared: true })
  expect(groups(shared)).toEqual(['headgate.test', 'headgate.test.acknowledged'])
  expect(shared).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('transactional ids that begin with') }),
  )
})

test('all topics are told with their partitions, those that no target names too', async () => {
  const { bootstrap } = await startMockCluster(['orders', 'orders.eu'])
  const topics = (await probed(bootstrap)).flatMap((one) => (one.kind === 'topics' ? one.topics : []))
  expect(topics).toContainEqual({ name: 'orders', partitions: 4 })
  expect(topics).toContainEqual({ name: 'orders.eu', partitions: 4 })
})

test('looking for a topic does not bring it into being', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const targets = [{ at: '/rule', target: { topic: 'ordres' } }]
  for (let times = 0; times < 2; times++) {
    expect(await probed(bootstrap, { targets })).toContainEqual({
      kind: 'error',
      at: '/rule/topic',
      code: 'HG_KAFKA_TOPIC_MISSING',
      message: expect.stringMatching(/^Topic "ordres" does not exist/),
      suggestion: 'Did you mean "orders"? If not: "headgate topics --create" creates it.',
    })
  }
})

test('each address is tried, and one that answers is enough for the rest', async () => {
  const { bootstrap } = await startMockCluster(['orders'])
  const [dead] = await freePorts(1)
  const found = await probed(`127.0.0.1:${dead}, ${bootstrap},nowhere.invalid:9092`)
  const errors = found.filter(({ kind }) => kind === 'error')
  expect(errors).toEqual([
    expect.objectContaining({
      at: '/sink/config/brokers',
      code: 'HG_KAFKA_UNAVAILABLE',
      message: `Kafka cannot be reached at 127.0.0.1:${dead}, one of 3 addresses: nothing listens there.`,
    }),
    expect.objectContaining({ message: expect.stringContaining('nowhere.invalid:9092') }),
  ])
  expect(found).toContainEqual(
    expect.objectContaining({ kind: 'checked', message: expect.stringContaining('orders') }),
  )
})

test('if no address answers, it says that topics and group were not checked', async () => {
  const [dead] = await freePorts(1)
  expect(await probed(`127.0.0.1:${dead}`)).toEqual([
    expect.objectContaining({ kind: 'error' }),
    { kind: 'unchecked', message: 'Topics and the consumer group: no broker could be reached.' },
  ])
})
