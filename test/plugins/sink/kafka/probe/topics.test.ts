import type { TopicMetadata } from 'node-rdkafka'
import { expect, test } from 'vitest'
import type { Probed } from '../../../../../src/contract/index.js'
import {
  type ClusterTopics,
  type Terms,
  topicFindings,
} from '../../../../../src/plugins/sink/kafka/probe/topics.js'
import type { DescribedTopic, Rights } from '../../../../../src/plugins/sink/kafka/protocol/describe.js'
import { RECORD_OVERHEAD } from '../../../../../src/plugins/sink/kafka/record.js'

const ALL: Rights = new Set(['Read', 'Write', 'Describe'])
const GOOD = {
  'min.insync.replicas': '2',
  'max.message.bytes': '1048588',
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'compression.type': 'producer',
}

interface Given {
  readonly replicas?: number[]
  readonly isrs?: number[]
  readonly leader?: number
  readonly settings?: object | string
  readonly described?: Partial<DescribedTopic>
  readonly cluster?: Partial<ClusterTopics>
  readonly terms?: Partial<Terms>
}

/** Of a topic `orders` with three partitions, of which partition 1 is as given. */
function found({ replicas = [1, 2, 3], isrs = replicas, leader = 1, ...given }: Given = {}): Probed[] {
  const { settings = {}, described = {}, cluster = {}, terms = {} } = given
  const good = { leader: 1, replicas: [1, 2, 3], isrs: [1, 2, 3] }
  const orders: TopicMetadata = {
    name: 'orders',
    partitions: [
      { id: 0, ...good },
      { id: 1, leader, replicas, isrs },
      { id: 2, ...good },
    ],
  }
  const inForce = typeof settings === 'string' ? settings : new Map(Object.entries({ ...GOOD, ...settings }))
  return [
    ...topicFindings(
      {
        visible: [orders],
        described: new Map([['orders', { name: 'orders', state: 'exists', rights: ALL, ...described }]]),
        settings: new Map([['orders', inForce]]),
        why: '',
        ...cluster,
      },
      {
        targets: [{ at: '/rule', target: { topic: 'orders', partition: 1 } }],
        maxBody: 1048576 - RECORD_OVERHEAD,
        redeliveryWindow: 86_400_000,
        keyed: true,
        batchSize: 65_536,
        cluster: { brokers: 'kafka-1:9092', properties: { 'sasl.username': 'headgate' } },
        missingCodecs: [],
        ...terms,
      },
    ),
  ]
}
const elsewhere = (topic: string): Partial<Terms> => ({ targets: [{ at: '/rule', target: { topic } }] })

test('a topic that fits is one line with its facts', () => {
  expect(found()).toEqual([
    {
      kind: 'checked',
      message:
        'Topic "orders" exists: 3 partitions, 3 replicas, min.insync.replicas=2, max.message.bytes=1048588, cleanup.policy=delete, retention.ms=604800000, compression.type=producer.',
    },
  ])
})

test.each<[string, Given, object]>([
  [
    'fewer replicas in sync than a record needs',
    { isrs: [1] },
    {
      code: 'HG_KAFKA_UNAVAILABLE',
      at: '/rule/topic',
      message:
        'Partition 1 of topic "orders" accepts no records now: 1 of its 3 replicas are in sync, and min.insync.replicas is 2.',
    },
  ],
  [
    'fewer replicas than a record needs',
    { replicas: [1] },
    { code: 'HG_KAFKA_UNAVAILABLE', message: expect.stringContaining('can never take a record') },
  ],
  [
    'no leader',
    { leader: -1 },
    { code: 'HG_KAFKA_UNAVAILABLE', message: 'Partition 1 of topic "orders" has no leader.' },
  ],
  [
    'a right that is missing',
    { described: { rights: new Set(['Describe', 'Write']) } },
    {
      code: 'HG_KAFKA_NOT_ALLOWED',
      at: '/rule/topic',
      message: 'The user lacks the right Read on topic "orders".',
    },
  ],
  [
    'a partition that is missing',
    { terms: { targets: [{ at: '/rule', target: { topic: 'orders', partition: 3 } }] } },
    { code: 'HG_KAFKA_PARTITION_MISSING', at: '/rule/partition' },
  ],
  [
    'a topic that is missing',
    {
      terms: elsewhere('order'),
      cluster: { described: new Map([['order', { name: 'order', state: 'missing', rights: undefined }]]) },
    },
    {
      code: 'HG_KAFKA_TOPIC_MISSING',
      at: '/rule/topic',
      message: 'Topic "order" does not exist.',
      suggestion: 'Did you mean "orders"? If not: "headgate topics --create" creates it.',
    },
  ],
  [
    'a topic that the user may not see',
    {
      terms: elsewhere('x'),
      cluster: { described: new Map([['x', { name: 'x', state: 'hidden', rights: undefined }]]) },
    },
    { code: 'HG_KAFKA_NOT_ALLOWED', message: 'The user may not see topic "x", if it exists.' },
  ],
  [
    'a topic that is missing or hidden, which cannot be told',
    { terms: elsewhere('x'), cluster: { described: undefined } },
    { code: 'HG_KAFKA_TOPIC_MISSING', message: 'Topic "x" does not exist, or the user may not see it.' },
  ],
  [
    'a topic in a codec that the client lacks',
    { settings: { 'compression.type': 'zstd' }, terms: { missingCodecs: ['zstd'] } },
    {
      code: 'HG_KAFKA_UNAVAILABLE',
      message: expect.stringContaining('compresses its records with zstd'),
      suggestion: 'Install libzstd-dev and run "npm rebuild node-rdkafka".',
    },
  ],
  [
    'a compacted topic without keys',
    { settings: { 'cleanup.policy': 'compact' }, terms: { keyed: false } },
    { code: 'HG_RECORD_REFUSED' },
  ],
])('%s is an error, and such a topic is not said to be fine', (_what, given, error) => {
  const all = found(given)
  expect(all.filter(({ kind }) => kind === 'error')).toEqual([expect.objectContaining(error)])
  expect(all.filter(({ kind }) => kind === 'checked')).toEqual([])
})

test.each<[string, Given, string]>([
  ['one-copy', { settings: { 'min.insync.replicas': '1' } }, 'of 3 replicas, one in sync is enough'],
  ['one-copy', { replicas: [1], settings: 'no right' }, 'it has one replica'],
  ['body-beyond-topic', { settings: { 'max.message.bytes': '1048575' } }, 'up to 1048575 bytes'],
  [
    'batch-beyond-topic',
    { settings: { 'max.message.bytes': '20000' }, terms: { maxBody: 1000 - RECORD_OVERHEAD } },
    'up to 20000 bytes (max.message.bytes), the sink makes batches of up to 65536 (batch.size)',
  ],
  [
    'topic-compacted',
    { settings: { 'cleanup.policy': 'compact,delete' } },
    'keeps only the newest record of each key',
  ],
  ['retention-below-window', { settings: { 'retention.ms': '86399999' } }, 'for 86399999 ms'],
])('%s is a warning', (name, given, words) => {
  expect(found(given).filter(({ kind }) => kind === 'warning')).toEqual([
    expect.objectContaining({ name, at: '/rule/topic', message: expect.stringContaining(words) }),
  ])
})

test('records that are kept for ever, or are as large as the largest body, are no reason for a warning', () => {
  const settings = { 'retention.ms': '-1', 'max.message.bytes': '1048576' }
  expect(found({ settings }).map(({ kind }) => kind)).toEqual(['checked'])
})

test('if no partition is named, all of them count; if one is, the others do not', () => {
  expect(found({ isrs: [], terms: elsewhere('orders') })).toContainEqual(
    expect.objectContaining({ kind: 'error' }),
  )
  const other = [{ at: '/rule', target: { topic: 'orders', partition: 0 } }]
  expect(found({ isrs: [], terms: { targets: other } }).map(({ kind }) => kind)).toEqual(['checked'])
})

test('settings that could not be read are named with the reason, and not judged', () => {
  const all = found({ cluster: { described: undefined, settings: undefined, why: 'only librdkafka can' } })
  expect(all).toEqual([
    { kind: 'checked', message: 'Topic "orders" exists: 3 partitions, 3 replicas.' },
    {
      kind: 'unchecked',
      message:
        'Topic "orders": min.insync.replicas, max.message.bytes, cleanup.policy, retention.ms, compression.type could not be read: only librdkafka can.',
    },
    {
      kind: 'unchecked',
      message:
        'Topic "orders": the cluster does not report whether the user may read and write it: only librdkafka can.',
    },
  ])
})
