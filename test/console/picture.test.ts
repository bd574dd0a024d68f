import { expect, test } from 'vitest'
import { graphOf, NO_FLOW } from '../../console/src/overview/graph.js'
import { type Box, layoutOf } from '../../console/src/overview/layout.js'
import type { Flow, PipelineShape, PipelineTraffic } from '../../src/admin/api.js'
import { OUTCOMES, type Rule } from '../../src/contract/index.js'

const flow = (count: number): Flow => ({ rate: count / 10, count })

function shape(rules: readonly Rule[], more: Partial<PipelineShape> = {}): PipelineShape {
  return {
    name: 'orders',
    state: 'RUNNING',
    shared: false,
    source: { stage: 'source.http-webhook', plugin: 'http-webhook' },
    transforms: [
      { stage: 'transform.0.json-schema', plugin: 'json-schema', rules: [] },
      { stage: 'transform.1.route', plugin: 'route', rules },
    ],
    sink: { stage: 'sink.kafka', plugin: 'kafka' },
    deadLetter: { topic: 'orders.dlq' },
    postCommit: [{ stage: 'post-commit.0.ack', plugin: 'ack' }],
    ...more,
  }
}

function traffic(more: Partial<PipelineTraffic> = {}): PipelineTraffic {
  const perOutcome = <Value>(value: Value) =>
    Object.fromEntries(OUTCOMES.map((outcome) => [outcome, value])) as {
      [outcome in (typeof OUTCOMES)[number]]: Value
    }
  return {
    pipeline: 'orders',
    state: 'RUNNING',
    outcomes: perOutcome(NO_FLOW),
    latency: null,
    stages: {},
    rules: {},
    deadLetters: [],
    responses: {},
    acknowledgements: {
      attempts: { acknowledged: NO_FLOW, retry: NO_FLOW, 'gave-up': NO_FLOW },
      latency: null,
      pending: 0,
      pendingLimit: 100,
      oldestSeconds: 0,
      failed: 0,
    },
    inFlight: 0,
    inFlightLimit: 500,
    points: { outcomes: perOutcome([]), p50: [], p99: [], acknowledged: [], pending: [] },
    ...more,
  }
}

const RULES: readonly Rule[] = [
  { name: 'eu', to: { topic: 'orders.eu', partition: 1 } },
  { name: 'eu-too', to: { topic: 'orders.eu', partition: 1 } },
  { name: 'tests', to: 'drop' },
  { name: 'broken', to: 'dead-letter' },
  { name: 'otherwise', to: { topic: 'orders.rest' } },
]

test('rules fan out to their topics and partitions, and each topic has the sum of its rules', () => {
  const rules = { eu: flow(10), 'eu-too': flow(5), otherwise: flow(1) }
  const { topics, edges } = graphOf(shape(RULES), traffic({ rules }))
  expect(topics.map(({ title, note, flow: { count } }) => [title, note, count])).toEqual([
    ['orders.eu', 'partition 1', 15],
    ['orders.rest', 'partition by key', 1],
  ])
  const ends = edges.filter(({ from }) => from.startsWith('rule.')).map(({ to, outcome }) => [to, outcome])
  expect(ends).toEqual([
    ['topic.orders.eu/1', 'delivered'],
    ['topic.orders.eu/1', 'delivered'],
    ['exit.dropped', 'dropped'],
    ['dead-letter', 'dead-lettered'],
    ['topic.orders.rest/key', 'delivered'],
  ])
})

test('events that a stage turns away leave there; those that a rule sends away are counted once', () => {
  const stages = {
    'source.http-webhook': { outcomes: { passed: flow(8), rejected: flow(2) }, latency: null },
    'transform.1.route': { outcomes: { passed: flow(4), 'dead-lettered': flow(3) }, latency: null },
  }
  const { source, exits, edges } = graphOf(shape(RULES), traffic({ stages, rules: { broken: flow(3) } }))
  expect(source.problems).toEqual([{ outcome: 'rejected', count: 2 }])
  expect(exits.map(({ title, flow: { count } }) => [title, count])).toEqual([
    ['Dropped', 0],
    ['Refused', 2],
  ])
  const into = edges.filter(({ to }) => to === 'dead-letter')
  expect(into.map(({ from }) => from)).toEqual(['rule.transform.1.route.broken'])
})

test('of 500 rules the picture has the busiest, the last one, and the rest as one', () => {
  const many = Array.from(
    { length: 500 },
    (_, index): Rule => ({ name: `rule-${index}`, to: { topic: `t${index}` } }),
  )
  const rules = { 'rule-250': flow(9), 'rule-3': flow(1) }
  const { rules: shown, topics } = graphOf(shape(many), traffic({ rules }))
  const titles = shown.map(({ title }) => title)
  expect(titles).toHaveLength(12)
  expect(titles).toEqual(expect.arrayContaining(['rule-3', 'rule-250', 'rule-499', '489 more rules']))
  expect(topics).toHaveLength(12)
  expect(topics.map(({ title }) => title)).toContain('489 more partitions')
})

test('a pipeline whose plugins name no rules ends in its sink all the same', () => {
  const { topics, edges } = graphOf(shape([]), traffic())
  expect(topics).toHaveLength(1)
  expect(edges.map(({ from, to }) => `${from} > ${to}`)).toContain('transform.1.route > topic')
})

test('no two boxes overlap, whatever the width, and edges are as wide as their share of the rate', () => {
  const overlaps = (one: Box, other: Box) =>
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  const stages = {
    'source.http-webhook': { outcomes: { passed: flow(90), rejected: flow(10) }, latency: null },
  }
  const graph = graphOf(shape(RULES), traffic({ stages, rules: { eu: flow(60), otherwise: flow(30) } }))
  for (const width of [700, 1216, 2000]) {
    const { nodes, edges, width: drawn, height } = layoutOf(graph, width)
    expect(drawn).toBeGreaterThanOrEqual(width)
    for (const [index, { node, box }] of nodes.entries()) {
      expect(box.x + box.width).toBeLessThanOrEqual(drawn)
      expect(box.y + box.height).toBeLessThanOrEqual(height)
      const hit = nodes.slice(index + 1).filter((other) => overlaps(box, other.box))
      expect(hit.map((other) => `${node.id} ${other.node.id}`)).toEqual([])
    }
    const widthOf = (from: string) => edges.find(({ edge }) => edge.from === from)?.width ?? 0
    expect(widthOf('rule.transform.1.route.eu')).toBeCloseTo(
      2 * widthOf('rule.transform.1.route.otherwise'),
      0,
    )
    expect(widthOf('rule.transform.1.route.tests')).toBeLessThan(2)
    expect(edges.filter(({ path }) => path.includes('NaN'))).toEqual([])
    const down = edges.filter(({ path }) => path.includes('Q')).map(({ edge }) => edge)
    expect(down.map(({ from, to }) => `${from} > ${to}`)).toEqual(['source.http-webhook > exit.refused'])
  }
})
