import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { type TSchema, Type } from 'typebox'
import { expect, test } from 'vitest'
import { type ProbeReport, probe, unrouted } from '../../src/config/probe.js'
import { HeadgateError } from '../../src/contract/errors.js'
import {
  type AnyDefinition,
  definePlugin,
  type ProbeContext,
  type Probed,
  type SinkTopic,
  type Target,
} from '../../src/contract/index.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

type Look = (context: ProbeContext) => AsyncIterable<Probed>

/** The findings of a probe with this sink. */
async function probed(
  look: Look,
  {
    timeout = 5000,
    signal = new AbortController().signal,
    text = file,
    targets = () =>
      [{ at: '/size', target: { topic: 'orders', partition: 1 } as Target }] as readonly {
        at: string
        target: Target
      }[],
  } = {},
) {
  const definitions = inlinePlugins().definitions.map((definition) => {
    if (definition.kind === 'sink') return withProbe(definition, look)
    if (definition.kind !== 'transform') return definition
    return { ...definition, targets } as AnyDefinition
  })
  const read = readText(text, definitions, { environment: { SECRET: 'hush-hush' } })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  // Above all none of a comment that silences nothing yet.
  expect(read.config.warnings).toEqual([])
  return probe(read.config, { timeout, workers: 2, signal })
}

const withProbe = ({ name, create }: AnyDefinition, look: Look): AnyDefinition =>
  definePlugin<'sink', TSchema>({
    kind: 'sink',
    name,
    summary: 'Looks at the outside.',
    config: Type.Object(
      { url: Type.Optional(Type.String({ secret: true })) },
      { additionalProperties: false },
    ),
    lints: { 'far-away': { meaning: 'It is far away.', why: 'It takes long.', needs: 'cluster' } },
    create: create as never,
    probe: (_config, context) => look(context),
  })

const file = inlineConfig({
  sink: { plugin: 'memory', config: { url: '${env:SECRET}' } },
  deadLetter: { topic: 'letters' },
})
const all = ({ problems, warnings, checked, unchecked }: ProbeReport) => ({
  problems: problems.map(({ code, pointer, message }) => [code, pointer, message]),
  warnings: warnings.map(({ name, pointer }) => [name, pointer]),
  checked: checked.map(({ message }) => message),
  unchecked: unchecked.map(({ message }) => message),
})
const nothing = { problems: [], warnings: [], checked: [], unchecked: [] }
const never = () => new Promise<never>(() => {})

test('a plugin is told where it stands, and every target with its place', async () => {
  let told: ProbeContext | undefined
  await probed(async function* (context) {
    told = context
    yield { kind: 'checked', message: 'It was told.' }
  })
  expect(told).toMatchObject({
    pipeline: 'orders',
    at: '/pipelines/orders/sink/config',
    targets: [
      { at: '/pipelines/orders/transforms/0/config/size', target: { topic: 'orders', partition: 1 } },
      { at: '/pipelines/orders/deadLetter', target: { topic: 'letters' } },
    ],
    isShared: false,
    workers: 2,
    maxBody: undefined,
    redeliveryWindow: 86_400_000,
  })
  expect(told?.timeout).toBeLessThan(5000)
})

test('findings get their places, and secrets are taken out of them', async () => {
  const report = await probed(async function* ({ at }) {
    yield { kind: 'checked', message: 'hush-hush answers.' }
    yield { kind: 'unchecked', message: 'The rest.' }
    yield {
      kind: 'error',
      at: `${at}/url`,
      code: 'HG_ACK_TOKEN',
      message: 'No hush-hush.',
      suggestion: 'Not hush-hush.',
    }
  })
  expect(report.problems).toEqual([
    {
      code: 'HG_ACK_TOKEN',
      pointer: '/pipelines/orders/sink/config/url',
      location: expect.objectContaining({ file: 'plugins.config.json', line: 1 }),
      message: 'No ${env:SECRET}.',
      suggestion: 'Not ${env:SECRET}.',
    },
  ])
  const where = { pipeline: 'orders', plugin: 'memory' }
  expect(report.checked).toEqual([{ ...where, message: '${env:SECRET} answers.' }])
  expect(report.unchecked).toEqual([{ ...where, message: 'The rest.' }])
})

test('a comment silences a warning that only the outside can tell, and is none without it', async () => {
  const look: Look = async function* ({ at }) {
    yield { kind: 'warning', at: `${at}/url`, name: 'far-away', message: 'Far.' }
  }
  expect((await probed(look)).warnings).toMatchObject([{ name: 'far-away' }])
  const text = file.replace('"sink"', '\n// headgate-ignore: far-away we know\n"sink"')
  expect(all(await probed(look, { text }))).toEqual(nothing)
})

test('topics that no rule uses are a warning of the engine, which a comment silences', async () => {
  const look: Look = async function* () {
    yield {
      kind: 'topics',
      topics: ['a', 'b', 'c'].map((name) => ({ name: `hush-hush.${name}`, partitions: 1 })),
    }
  }
  const targets = (): readonly { at: string; target: Target }[] =>
    ['a', 'b'].map((name) => ({ at: '/size', target: { topic: `hush-hush.${name}` } }))
  expect((await probed(look, { targets })).warnings).toMatchObject([
    {
      name: 'topic-without-rule',
      pointer: '/pipelines/orders/transforms/0/config/size/topic',
      location: { file: 'plugins.config.json', line: 1 },
      message: expect.stringContaining('to the topic "hush-hush.c"'),
    },
  ])
  const text = file.replace(
    '"transforms"',
    '\n// headgate-ignore: topic-without-rule others fill it\n"transforms"',
  )
  expect(all(await probed(look, { targets, text }))).toEqual(nothing)
})

test('what does not end in time is a problem, and what was found before counts', async () => {
  const look: Look = async function* () {
    yield { kind: 'checked', message: 'One thing.' }
    await never()
  }
  expect(all(await probed(look, { timeout: 100 }))).toEqual({
    ...nothing,
    checked: ['One thing.'],
    problems: [
      [
        'HG_PROBE_TIMEOUT',
        '/pipelines/orders/sink/plugin',
        'The checks of "memory" did not finish within 100 ms.',
      ],
    ],
  })
})

test('an interrupted look is not said to be complete', async () => {
  const { problems } = await probed(() => ({ [Symbol.asyncIterator]: () => ({ next: never }) }), {
    signal: AbortSignal.abort(),
  })
  expect(problems).toMatchObject([
    { code: 'HG_PROBE_TIMEOUT', message: expect.stringContaining('interrupted') },
  ])
})

test.each([
  [new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Gone.'), 'HG_KAFKA_UNAVAILABLE', 'Gone.'],
  [new TypeError('x is undefined'), 'HG_PLUGIN_FAILED', 'memory failed: x is undefined'],
])('what a plugin throws is a problem of its stage', async (thrown, code, message) => {
  const report = await probed(async function* () {
    yield { kind: 'checked', message: 'One thing.' }
    throw thrown
  })
  expect(all(report)).toEqual({
    ...nothing,
    checked: ['One thing.'],
    problems: [[code, '/pipelines/orders/sink/plugin', message]],
  })
})

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
          'No rule sends events to the topic "orders.apac", and its name is like "orders.us" and "orders.eu".',
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
        'No rule sends events to the topics "orders-b", "orders-c", "orders-d", "orders-e", "orders-f" and 2 others, and their names are like "orders-x" and "orders-y".',
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
        'No rule sends events to the partitions 0 and 2 of topic "orders", which has 4 partitions: every rule that writes to it names another one.',
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
