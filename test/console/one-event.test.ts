import { expect, test } from 'vitest'
import { graphOf } from '../../console/src/overview/graph.js'
import { conclusionOf, trafficOfOne } from '../../console/src/try/one-event.js'
import type { ExplanationJson, PipelineShape } from '../../src/admin/api.js'

const SHAPE: PipelineShape = {
  name: 'orders',
  state: 'RUNNING',
  shared: false,
  source: { stage: 'source.http-webhook', plugin: 'http-webhook' },
  transforms: [
    { stage: 'transform.0.json-schema', plugin: 'json-schema', rules: [] },
    {
      stage: 'transform.1.route',
      plugin: 'route',
      rules: [
        ...Array.from({ length: 40 }, (_, index) => ({
          name: `rule-${index}`,
          to: { topic: 'orders', partition: index },
        })),
        { name: 'tests', to: 'drop' },
        { name: 'otherwise', to: { topic: 'orders.rest' } },
      ],
    },
  ],
  sink: { stage: 'sink.kafka', plugin: 'kafka' },
  deadLetter: { topic: 'orders.dlq' },
  postCommit: [{ stage: 'post-commit.0.ack', plugin: 'ack' }],
}

type Steps = ExplanationJson['steps']
const step = (stage: string, decision: Steps[number]['decision'], rule?: string): Steps[number] => ({
  stage,
  plugin: stage.split('.').at(-1) ?? '',
  decision,
  details: [],
  ...(rule !== undefined && { rule }),
})

/** The edges that the event takes. */
function way(outcome: ExplanationJson['outcome']['kind'], steps: Steps): string[] {
  const { edges } = graphOf(SHAPE, trafficOfOne({ outcome: { kind: outcome }, steps }, SHAPE))
  return edges.filter(({ flow }) => flow.count > 0).map(({ from, to }) => `${from} > ${to}`)
}

const UP_TO_ROUTE = [
  'source.http-webhook > transform.0.json-schema',
  'transform.0.json-schema > transform.1.route',
]
const passed = [step('source.http-webhook', 'pass'), step('transform.0.json-schema', 'pass')]

test('the way of a delivered event goes by its rule, one of many, to its partition and the acknowledgement', () => {
  const steps = [
    ...passed,
    step('transform.1.route', 'pass', 'rule-31'),
    step('sink.kafka', 'pass'),
    step('post-commit.0.ack', 'pass'),
  ]
  expect(way('delivered', steps)).toEqual([
    ...UP_TO_ROUTE,
    'transform.1.route > rule.transform.1.route.rule-31',
    'rule.transform.1.route.rule-31 > topic.orders/31',
    'topic.orders/31 > post-commit.0.ack',
  ])
})

test('the way of an event that is turned away ends at the stage that does so', () => {
  expect(way('rejected', [step('source.http-webhook', 'reject')])).toEqual([
    'source.http-webhook > exit.refused',
  ])
  const steps = [step('source.http-webhook', 'pass'), step('transform.0.json-schema', 'dead-letter')]
  expect(way('dead-lettered', steps)).toEqual([
    'source.http-webhook > transform.0.json-schema',
    'transform.0.json-schema > dead-letter',
    'dead-letter > post-commit.0.ack',
  ])
  expect(way('dropped', [...passed, step('transform.1.route', 'drop', 'tests')])).toEqual([
    ...UP_TO_ROUTE,
    'transform.1.route > rule.transform.1.route.tests',
    'rule.transform.1.route.tests > exit.dropped',
    'exit.dropped > post-commit.0.ack',
  ])
})

test('the conclusion names outcome, topic, partition and rule', () => {
  const record = {
    topic: 'orders',
    partition: null,
    key: 'k',
    headers: [],
    value: '',
    valueEncoding: 'utf-8',
    deadLetter: false,
  } as const
  const explanation = { outcome: { kind: 'delivered' }, route: 'eu', records: [record] }
  const conclusion = (changes: object) =>
    conclusionOf({ ...explanation, ...changes } as unknown as ExplanationJson)
  expect(conclusion({})).toBe('It would be delivered to orders, the partition of its key by the rule eu.')
  expect(conclusion({ route: 'otherwise', records: [{ ...record, partition: 2 }] })).toBe(
    'It would be delivered to orders, partition 2, as no rule matches.',
  )
  expect(
    conclusion({ outcome: { kind: 'rejected', code: 'HG_INTAKE_NO_ID' }, route: null, records: [] }),
  ).toBe('It would be refused: HG_INTAKE_NO_ID.')
  expect(conclusion({ outcome: { kind: 'handshake' }, route: null, records: [] })).toContain('handshake')
})
