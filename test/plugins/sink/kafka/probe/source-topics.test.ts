import type { TopicMetadata } from 'node-rdkafka'
import { expect, test } from 'vitest'
import type { Probed } from '../../../../../src/contract/index.js'
import { sourceFindings } from '../../../../../src/plugins/sink/kafka/probe/source-topics.js'
import type { DescribedTopic } from '../../../../../src/plugins/sink/kafka/protocol/describe.js'

const AT = '/pipelines/orders/source/config/topics'
const partition = (id: number, leader = 1) => ({ id, leader, replicas: [1], isrs: [1] })
const ORDERS: TopicMetadata = { name: 'orders', partitions: [partition(0), partition(1)] }

/** Of a source that reads `orders`. */
function found(
  described: Partial<DescribedTopic> | undefined,
  visible: readonly TopicMetadata[] = [ORDERS],
  { topics = ['orders'], workers = 0 } = {},
): Probed[] {
  const about: DescribedTopic = { name: 'orders', state: 'exists', rights: new Set(['Read', 'Describe']) }
  return [
    ...sourceFindings(
      {
        visible,
        described: described && new Map([['orders', { ...about, ...described }]]),
        settings: undefined,
        why: 'it is Kerberos',
      },
      {
        sources: topics.map((topic, index) => ({ at: `${AT}/${index}`, topic })),
        workers,
        cluster: { brokers: 'kafka-1:9092', properties: { 'sasl.username': 'headgate' } },
      },
    ),
  ]
}

test('a topic that may be read is one line, and Write is not asked for', () => {
  expect(found({})).toEqual([{ kind: 'checked', message: 'The source may read topic "orders".' }])
})

test('a right that is missing is an error at the name of the topic, with the command that grants it', () => {
  expect(found({ rights: new Set(['Write', 'Describe']) })).toEqual([
    {
      kind: 'error',
      at: `${AT}/0`,
      code: 'HG_KAFKA_NOT_ALLOWED',
      message: 'The user lacks the right Read on topic "orders", which the source reads.',
      suggestion: expect.stringMatching(/kafka-acls.* --operation Read --topic orders/),
    },
  ])
  expect(found({ state: 'hidden', rights: undefined }, [])).toMatchObject([
    { kind: 'error', code: 'HG_KAFKA_NOT_ALLOWED', message: expect.stringContaining('may not see topic') },
  ])
})

test('a topic that does not exist is an error, with the name that may be meant', () => {
  const other = { ...ORDERS, name: 'order' }
  expect(found({ state: 'missing', rights: undefined }, [other])).toMatchObject([
    {
      code: 'HG_KAFKA_TOPIC_MISSING',
      message: 'Topic "orders", which the source reads, does not exist.',
      suggestion: 'Did you mean "order"?',
    },
  ])
})

test('a partition without a leader cannot be read now', () => {
  const topic = { ...ORDERS, partitions: [partition(0), partition(1, -1)] }
  expect(found({}, [topic])).toContainEqual(
    expect.objectContaining({ kind: 'error', message: 'Partition 1 of topic "orders" has no leader.' }),
  )
})

test('if the cluster does not tell the rights, that is said', () => {
  expect(found({ rights: undefined })).toEqual([
    {
      kind: 'unchecked',
      message: 'Topic "orders": the cluster does not report whether the user may read it.',
    },
  ])
  expect(found(undefined)).toEqual([
    {
      kind: 'unchecked',
      message: 'Topic "orders": the cluster does not report whether the user may read it: it is Kerberos.',
    },
  ])
})

test('workers beyond the partitions of all topics have nothing to work off, which is a warning at the topics', () => {
  const warnings = (topics: readonly string[], workers: number, visible = topics) => {
    const exist = visible.map((name) => ({ ...ORDERS, name }))
    return found(undefined, exist, { topics: [...topics], workers }).filter(({ kind }) => kind === 'warning')
  }
  expect(warnings(['orders'], 2)).toEqual([])
  expect(warnings(['orders'], 4)).toEqual([
    {
      kind: 'warning',
      at: AT,
      name: 'idle-workers',
      message:
        'Topic "orders" has 2 partitions, and HEADGATE_WORKERS is 4: 2 workers have nothing to work off.',
      suggestion: 'Set HEADGATE_WORKERS to 2 or less, or have partitions added to it.',
    },
  ])
  expect(warnings(['orders', 'returns'], 4)).toEqual([])
  expect(warnings(['orders', 'returns'], 5)).toMatchObject([
    {
      message:
        'The 2 topics of the source have 4 partitions, and HEADGATE_WORKERS is 5: one worker has nothing to work off.',
    },
  ])
  expect(warnings(['orders', 'returns'], 5, ['orders'])).toEqual([])
})
