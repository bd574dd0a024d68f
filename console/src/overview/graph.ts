import type { Flow, Latency, PipelineShape, PipelineTraffic } from '../../../src/admin/api.js'
import type { Outcome, Rule } from '../../../src/contract/index.js'

export type OutcomeKind = Outcome['kind']

/** A box of the picture. */
export interface GraphNode {
  readonly id: string
  readonly kind: 'source' | 'transform' | 'rule' | 'topic' | 'dead-letter' | 'exit' | 'acknowledgement'
  readonly title: string
  /** More about it, in small letters. */
  readonly note?: string
  readonly flow: Flow
  readonly latency?: Latency | null
  /** How many events did not get further here in the last 15 minutes. */
  readonly problems: readonly Problem[]
}

interface Problem {
  readonly outcome: OutcomeKind
  readonly count: number
  /** Of an acknowledgement: an attempt is no outcome of an event. */
  readonly label?: string
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** Decides the colour. */
  readonly outcome: OutcomeKind
  readonly flow: Flow
}

/** A pipeline as a picture, without positions. */
export interface Graph {
  readonly source: GraphNode
  readonly transforms: readonly GraphNode[]
  readonly rules: readonly GraphNode[]
  readonly topics: readonly GraphNode[]
  readonly deadLetter: GraphNode | undefined
  readonly exits: readonly GraphNode[]
  readonly acknowledgements: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** With more, the picture has the busiest ones and a box for the rest. */
const MOST_RULES = 12
const MOST_TOPICS = 12

export const NO_FLOW: Flow = { rate: 0, count: 0 }

const add = (flows: readonly Flow[]): Flow => ({
  rate: flows.reduce((sum, { rate }) => sum + rate, 0),
  count: flows.reduce((sum, { count }) => sum + count, 0),
})

const DEAD_LETTER = 'dead-letter'
const DROPPED = 'exit.dropped'
const REFUSED = 'exit.refused'

/** Where a rule sends its events. */
interface Destination {
  readonly id: string
  readonly title: string
  readonly note?: string
  readonly outcome: OutcomeKind
}

const ENDS = {
  'dead-letter': { id: DEAD_LETTER, title: 'dead letters', outcome: 'dead-lettered' },
  drop: { id: DROPPED, title: 'dropped', outcome: 'dropped' },
  reject: { id: REFUSED, title: 'refused', outcome: 'rejected' },
} as const

export function destinationOf(to: Rule['to']): Destination {
  if (typeof to === 'string') return ENDS[to]
  const { topic, partition } = to
  const note = partition === undefined ? 'partition by key' : `partition ${partition}`
  return { id: `topic.${topic}/${partition ?? 'key'}`, title: topic, note, outcome: 'delivered' }
}

export function graphOf(shape: PipelineShape, traffic: PipelineTraffic): Graph {
  const edges: GraphEdge[] = []
  const stages = [shape.source, ...shape.transforms].map((stage) => stageNode(stage, traffic))
  const [source, ...transforms] = stages as [GraphNode, ...GraphNode[]]
  for (const [index, { id }] of stages.entries()) {
    const next = stages[index + 1]
    const passed = traffic.stages[id]?.outcomes['passed'] ?? NO_FLOW
    if (next !== undefined) edges.push({ from: id, to: next.id, outcome: 'delivered', flow: passed })
  }
  const { rules, ruleEdges, topics } = rulesOf(shape, traffic)
  edges.push(...ruleEdges)
  const last = stages.at(-1) as GraphNode
  if (rules.length === 0) {
    const passed = traffic.stages[last.id]?.outcomes['passed'] ?? NO_FLOW
    topics.push({ id: 'topic', kind: 'topic', title: 'topics', flow: passed, problems: [] })
    edges.push({ from: last.id, to: 'topic', outcome: 'delivered', flow: passed })
  }
  edges.push(...failureEdges(shape, traffic, ruleEdges))
  const into = (id: string) => add(edges.filter(({ to }) => to === id).map(({ flow }) => flow))
  const exits = [DROPPED, REFUSED].flatMap((id): GraphNode[] => {
    const title = id === DROPPED ? 'Dropped' : 'Refused'
    const note = id === DROPPED ? 'written nowhere' : 'by 4xx or 503'
    return edges.some(({ to }) => to === id)
      ? [{ id, kind: 'exit', title, note, flow: into(id), problems: [] }]
      : []
  })
  const { deadLetter } = shape
  const deadLetterNode: GraphNode | undefined =
    deadLetter === undefined
      ? undefined
      : {
          id: DEAD_LETTER,
          kind: 'dead-letter',
          title: deadLetter.topic,
          note: 'dead letters',
          flow: traffic.outcomes['dead-lettered'],
          problems: [],
        }
  const acknowledgements = shape.postCommit.map((stage): GraphNode => {
    const flow = traffic.acknowledgements.attempts.acknowledged
    const node = stageNode(stage, traffic)
    const problems = node.problems.map((problem) => ({
      ...problem,
      label: problem.outcome === 'unavailable' ? 'to retry' : 'given up',
    }))
    return { ...node, kind: 'acknowledgement', flow, problems }
  })
  for (const { id } of acknowledgements)
    for (const node of [...topics, ...(deadLetterNode ? [deadLetterNode] : []), ...exits]) {
      if (node.id === REFUSED) continue
      const outcome = node.id === DROPPED ? 'dropped' : node.kind === 'topic' ? 'delivered' : 'dead-lettered'
      edges.push({ from: node.id, to: id, outcome, flow: node.flow })
    }
  return { source, transforms, rules, topics, deadLetter: deadLetterNode, exits, acknowledgements, edges }
}

function stageNode(
  { stage, plugin }: { readonly stage: string; readonly plugin: string },
  traffic: PipelineTraffic,
): GraphNode {
  const found = traffic.stages[stage]
  const count = (outcome: string) => found?.outcomes[outcome]?.count ?? 0
  const problems = (['rejected', 'limited', 'dead-lettered', 'dropped', 'unavailable'] as const)
    .map((outcome) => ({ outcome, count: count(outcome) }))
    .filter((problem) => problem.count > 0)
  return {
    id: stage,
    kind: stage.startsWith('source') ? 'source' : 'transform',
    title: plugin,
    flow: add(Object.values(found?.outcomes ?? {})),
    latency: found?.latency ?? null,
    problems,
  }
}

interface RulesGraph {
  readonly rules: readonly GraphNode[]
  readonly topics: GraphNode[]
  readonly ruleEdges: readonly GraphEdge[]
}

/** Routers fan out to their rules, and rules to their destinations. */
function rulesOf({ transforms }: PipelineShape, traffic: PipelineTraffic): RulesGraph {
  const rules: GraphNode[] = []
  const flows = new Map<string, GraphEdge>()
  const destinations = new Map<string, Destination>()
  const link = (edge: GraphEdge) => {
    const key = `${edge.from} ${edge.to}`
    const before = flows.get(key)
    flows.set(key, before === undefined ? edge : { ...edge, flow: add([before.flow, edge.flow]) })
  }
  const topicOf = collapsedTopics(
    transforms.flatMap((transform) => transform.rules),
    traffic,
  )
  for (const { stage, rules: all } of transforms) {
    const shown = shownRules(all, traffic)
    const rest = all.filter((rule) => !shown.includes(rule))
    const moreId = `rule.${stage}.more`
    for (const rule of all) {
      const flow = traffic.rules[rule.name] ?? NO_FLOW
      const id = shown.includes(rule) ? `rule.${stage}.${rule.name}` : moreId
      const destination = topicOf(destinationOf(rule.to))
      destinations.set(destination.id, destination)
      if (id !== moreId) rules.push({ id, kind: 'rule', title: rule.name, flow, problems: [] })
      link({ from: stage, to: id, outcome: destination.outcome, flow })
      link({ from: id, to: destination.id, outcome: destination.outcome, flow })
    }
    if (rest.length > 0) {
      const flow = add(rest.map(({ name }) => traffic.rules[name] ?? NO_FLOW))
      rules.push({ id: moreId, kind: 'rule', title: `${rest.length} more rules`, flow, problems: [] })
    }
  }
  const ruleEdges = [...flows.values()]
  const topics = [...destinations.values()]
    .filter(({ id }) => id.startsWith('topic'))
    .map(({ id, title, note }): GraphNode => {
      const flow = add(ruleEdges.filter(({ to }) => to === id).map((edge) => edge.flow))
      return { id, kind: 'topic', title, ...(note !== undefined && { note }), flow, problems: [] }
    })
  return { rules, topics, ruleEdges }
}

/** In the order of the config. The last rule is the one for all other events. */
function shownRules(rules: readonly Rule[], traffic: PipelineTraffic): readonly Rule[] {
  if (rules.length <= MOST_RULES) return rules
  const busiest = rules
    .slice(0, -1)
    .toSorted((one, other) => (traffic.rules[other.name]?.count ?? 0) - (traffic.rules[one.name]?.count ?? 0))
    .slice(0, MOST_RULES - 2)
  return rules.filter((rule, index) => index === rules.length - 1 || busiest.includes(rule))
}

/** Puts the topics with the least traffic into one box if there are too many. */
function collapsedTopics(
  rules: readonly Rule[],
  traffic: PipelineTraffic,
): (destination: Destination) => Destination {
  const counts = new Map<string, number>()
  for (const { name, to } of rules) {
    const { id, outcome } = destinationOf(to)
    if (outcome === 'delivered') counts.set(id, (counts.get(id) ?? 0) + (traffic.rules[name]?.count ?? 0))
  }
  if (counts.size <= MOST_TOPICS) return (destination) => destination
  const shown = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, MOST_TOPICS - 1)
  const ids = new Set(shown.map(([id]) => id))
  const title = `${counts.size - ids.size} more partitions`
  return (destination) =>
    destination.outcome !== 'delivered' || ids.has(destination.id)
      ? destination
      : { id: 'topic.more', title, outcome: 'delivered' }
}

/** Events that leave at a stage, and not by a rule. */
function failureEdges(
  { source, transforms, deadLetter }: PipelineShape,
  traffic: PipelineTraffic,
  ruleEdges: readonly GraphEdge[],
): GraphEdge[] {
  const ways = [
    { outcome: 'rejected', to: REFUSED },
    { outcome: 'limited', to: REFUSED },
    { outcome: 'unavailable', to: REFUSED },
    { outcome: 'dropped', to: DROPPED },
    ...(deadLetter === undefined ? [] : [{ outcome: 'dead-lettered', to: DEAD_LETTER } as const]),
  ] as const
  return [source, ...transforms].flatMap(({ stage }) =>
    ways.flatMap(({ outcome, to }): GraphEdge[] => {
      const all = traffic.stages[stage]?.outcomes[outcome] ?? NO_FLOW
      const byRule = add(
        ruleEdges
          .filter((edge) => edge.to === to && edge.from.startsWith(`rule.${stage}.`))
          .map(({ flow }) => flow),
      )
      const flow = { rate: Math.max(0, all.rate - byRule.rate), count: Math.max(0, all.count - byRule.count) }
      return flow.count === 0 ? [] : [{ from: stage, to, outcome, flow }]
    }),
  )
}
