import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { unrouted } from '../../src/config/unrouted.js'
import type { SinkTopic, Target } from '../../src/contract/index.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/inline-pipeline.js'

const environment = {
  KAFKA_BROKERS: 'k:9092',
  CXONE_BASE_URL: 'http://127.0.0.1',
  CXONE_CLIENT_ID: 'id',
  CXONE_CLIENT_SECRET: 'test-client-secret',
  WEBHOOK_TOKEN: 'test-webhook-token',
}
const [shipped] = Object.values(parse(readFileSync('plugins.config.json', 'utf8')).pipelines) as [
  { source: { config: object }; deadLetter: object },
]

/** A pipeline with a rule for each of these targets but the last, which the others go to. */
const pipeline = (targets: readonly Target[], path = '/hook') => {
  const rules = targets.slice(0, -1).map((to, index) => ({
    name: `rule-${index}`,
    when: { regex: `^${index}`, at: '/x' },
    to,
  }))
  const source = { ...shipped.source, config: { ...shipped.source.config, path } }
  const transforms = [{ plugin: 'route', config: { rules, otherwise: targets.at(-1) } }]
  return { ...shipped, source, transforms, deadLetter: { topic: 'orders.letters' } }
}

function found(topics: readonly SinkTopic[], targets: readonly Target[], others: readonly Target[] = []) {
  const pipelines = {
    first: pipeline(targets),
    ...(others.length > 0 && { other: pipeline(others, '/other') }),
  }
  const read = readText(JSON.stringify({ pipelines }), plugins, { environment })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  const [first] = read.config.pipelines
  return first === undefined ? [] : [...unrouted(topics, first, read.config.pipelines)]
}
const topics = (...names: string[]): SinkTopic[] => names.map((name) => ({ name, partitions: 4 }))
const to = (...names: string[]): Target[] => names.map((topic) => ({ topic }))
const config = '/pipelines/first/transforms/0/config'

test('a topic beside those of two rules that no rule names is told at the first of these', () => {
  expect(found(topics('orders.us', 'orders.apac', 'orders.eu'), to('all', 'orders.us', 'orders.eu'))).toEqual(
    [
      {
        pointer: `${config}/rules/1/to/topic`,
        name: 'topic-without-rule',
        message:
          'No rule sends events to the topic "orders.apac", which is there beside "orders.us" and "orders.eu".',
        suggestion: 'Add a rule for it, or correct the rule that was meant to name it.',
      },
    ],
  )
})

test('many of them are one warning', () => {
  const many = ['h', 'g', 'f', 'e', 'd', 'c', 'b'].map((name) => `orders-${name}`)
  expect(found(topics(...many), to('orders-x', 'orders-y'))).toMatchObject([
    {
      message:
        'No rule sends events to the topics "orders-b", "orders-c", "orders-d", "orders-e", "orders-f" and 2 others, which are there beside "orders-x" and "orders-y".',
    },
  ])
})

test.each<[string, string[], Target[], Target[]?]>([
  ['another pipeline writes to it', ['orders.apac'], to('orders.us', 'orders.eu'), to('orders.apac')],
  ['it takes dead letters', ['orders.letters'], to('orders.us', 'orders.eu')],
  ['it is Kafka’s own', ['_schemas.c', '__x.c'], to('_schemas.a', '_schemas.b', '__x.a', '__x.b')],
  [
    'consumers made it',
    ['orders.dlq', 'orders.DLT', 'orders.retry', 'orders.dead-letters', 'orders.changelog'],
    to('orders.us', 'orders.eu'),
  ],
  ['one topic alone is named like it', ['orders.apac'], to('orders.us', 'orders.us', 'users.eu')],
  ['only the beginning is alike', ['orders.apac.new', 'ordersx', 'orders'], to('orders.us', 'orders.eu')],
  ['the names have no parts', ['c'], to('a', 'b')],
])('a topic is not told where %s', (_what, names, targets, others = []) => {
  expect(found(topics(...names), targets, others)).toEqual([])
})

test('partitions that are left over where rules share a topic out are told at the first of these', () => {
  const targets = [
    { topic: 'orders', partition: 1 },
    { topic: 'orders', partition: 3 },
  ]
  expect(found(topics('orders'), targets)).toEqual([
    {
      pointer: `${config}/rules/0/to/partition`,
      name: 'partition-without-rule',
      message:
        'No rule sends events to the partitions 0 and 2 of topic "orders", which has 4: each rule that writes to it names another one.',
      suggestion: 'Add rules for them, or leave `partition` out, so that the key of an event decides.',
    },
  ])
  expect(found(topics('orders'), targets, [{ topic: 'orders', partition: 0 }])).toMatchObject([
    { message: expect.stringContaining('to partition 2 of topic') },
  ])
})

test.each<[string, Target[], Target[]?]>([
  ['rules name all of them', [0, 1, 2, 3].map((partition) => ({ topic: 'orders', partition }))],
  ['one partition is named', [{ topic: 'orders', partition: 1 }]],
  [
    'a rule leaves it to the key',
    [{ topic: 'orders', partition: 1 }, { topic: 'orders', partition: 0 }, { topic: 'orders' }],
  ],
  [
    'another pipeline leaves it to the key',
    [
      { topic: 'orders', partition: 1 },
      { topic: 'orders', partition: 0 },
    ],
    to('orders'),
  ],
])('partitions are not told where %s', (_what, targets, others = []) => {
  expect(found(topics('orders'), targets, others)).toEqual([])
})
