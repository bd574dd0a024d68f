import type { TopicMetadata } from 'node-rdkafka'
import { expect, test } from 'vitest'
import { inboxFindings } from '../../../../../src/plugins/sink/kafka/probe/inbox.js'
import {
  describeTransactions,
  type TransactionSupport,
} from '../../../../../src/plugins/sink/kafka/protocol/transactions.js'
import { int16, int32, list, reader } from '../../../../../src/plugins/sink/kafka/protocol/wire.js'

const DAY = 86_400_000
const GOOD = { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'retention.bytes': '-1' }

interface Given {
  readonly partitions?: number
  readonly settings?: object | string
  readonly transactions?: TransactionSupport | undefined
  readonly workers?: number
}

/** Without the warning about readers, which is always there. */
function found({ partitions = 12, settings = {}, workers = 12, ...given }: Given = {}) {
  const partition = { leader: 1, replicas: [1], isrs: [1] }
  const inbox: TopicMetadata = {
    name: 'orders.inbox',
    partitions: Array.from({ length: partitions }, (_, id) => ({ id, ...partition })),
  }
  const inForce = typeof settings === 'string' ? settings : new Map(Object.entries({ ...GOOD, ...settings }))
  const all = [
    ...inboxFindings(
      {
        visible: [inbox],
        described: undefined,
        settings: new Map([['orders.inbox', inForce]]),
        transactions: 'transactions' in given ? given.transactions : { kind: 'allowed' },
        why: 'only librdkafka can connect here',
      },
      {
        inbox: { at: '/pipelines/orders/inbox', topic: 'orders.inbox' },
        targets: ['orders.inbox', 'orders', 'orders.dlq'].map((topic) => ({
          at: '/rule',
          target: { topic },
        })),
        redeliveryWindow: DAY,
        workers,
        group: 'headgate.orders',
        cluster: { brokers: 'kafka-1:9092', properties: { 'sasl.username': 'headgate' } },
      },
    ),
  ]
  const [readers] = all.filter((one) => one.kind === 'warning' && one.name === 'inbox-readers')
  expect(readers).toMatchObject({ message: expect.stringContaining('how "orders", "orders.dlq" are read') })
  return all.filter((one) => one !== readers)
}

test('an inbox that fits has transactions, and nothing else is said', () => {
  expect(found()).toEqual([
    {
      kind: 'checked',
      message:
        'The cluster has transactions, and the user may use transactional ids that begin with "headgate.orders.".',
    },
  ])
})

test.each<[string, Given, object]>([
  [
    'the right on transactional ids is missing',
    { transactions: { kind: 'not-allowed' } },
    {
      kind: 'error',
      code: 'HG_KAFKA_NOT_ALLOWED',
      suggestion:
        'An administrator can allow it: kafka-acls.sh --bootstrap-server kafka-1:9092 --add --allow-principal User:headgate --operation Describe --operation Write --transactional-id headgate.orders. --resource-pattern-type prefixed',
    },
  ],
  [
    'the cluster has no transactions',
    { transactions: { kind: 'unsupported', why: 'it does not know the requests EndTxn (version 0)' } },
    {
      kind: 'error',
      code: 'HG_INBOX_UNSUPPORTED',
      message:
        'The cluster does not support transactions, which an inbox needs: it does not know the requests EndTxn (version 0).',
      suggestion: expect.stringContaining('Azure Event Hubs: its standard tier has no transactions'),
    },
  ],
  [
    'only librdkafka can log in',
    { transactions: undefined },
    { kind: 'unchecked', message: expect.stringContaining('only librdkafka can connect here') },
  ],
  [
    'the inbox is compacted',
    { settings: { 'cleanup.policy': 'compact,delete' } },
    { kind: 'error', code: 'HG_INBOX_COMPACTED', at: '/pipelines/orders/inbox/topic' },
  ],
  [
    'retention is no longer than the window',
    { settings: { 'retention.ms': String(DAY) } },
    { kind: 'warning', name: 'inbox-retention', message: expect.stringContaining('(redelivery.window)') },
  ],
  [
    'retention goes by size',
    { settings: { 'retention.bytes': '1000' } },
    { kind: 'warning', name: 'inbox-retention', suggestion: expect.stringContaining('retention.bytes=-1') },
  ],
  ['it has one partition', { partitions: 1 }, { kind: 'warning', name: 'inbox-one-partition' }],
  [
    'there are more workers than partitions',
    { partitions: 3, workers: 4 },
    {
      kind: 'warning',
      name: 'idle-workers',
      message:
        'The inbox "orders.inbox" has 3 partitions, and HEADGATE_WORKERS is 4: one worker has nothing to work off.',
    },
  ],
])('%s', (_title, given, expected) => {
  expect(found(given)).toContainEqual(expect.objectContaining(expected))
})

test('a retention without end, and settings that cannot be read, are no reason for a warning', () => {
  expect(found({ settings: { 'retention.ms': '-1' } })).toHaveLength(1)
  expect(found({ settings: 'the user lacks a right' })).toHaveLength(1)
})

/** A broker that takes these requests, and responds to the end of a transaction with this error. */
const broker = (keys: readonly number[], error = 0) => ({
  async ask(key: number) {
    const versions = list(keys, (each) => Buffer.concat([int16(each), int16(0), int16(3)]))
    return reader(key === 18 ? Buffer.concat([int16(0), versions]) : Buffer.concat([int32(0), int16(error)]))
  },
})

test.each([
  ['a broker that looks for the transaction', [22, 24, 25, 26, 28], 49, { kind: 'allowed' }],
  ['another coordinator', [22, 24, 25, 26, 28], 16, { kind: 'allowed' }],
  ['no right', [22, 24, 25, 26, 28], 53, { kind: 'not-allowed' }],
  ['an error of another kind', [22, 24, 25, 26, 28], 42, { kind: 'unknown' }],
  [
    'a broker without these requests',
    [22, 25, 26],
    0,
    {
      kind: 'unsupported',
      why: 'it does not know the requests AddPartitionsToTxn (version 0), TxnOffsetCommit (version 3)',
    },
  ],
])('transactions of %s', async (_title, keys, error, expected) => {
  expect(await describeTransactions(broker(keys, error), 'headgate.orders.')).toMatchObject(expected)
})
