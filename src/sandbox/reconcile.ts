import { OUTCOMES } from '../contract/index.js'
import type { Refusal } from './events.js'
import {
  acknowledgementFaults,
  positionOf,
  recordFaults,
  responseFaults,
  responsesByEvent,
} from './faults.js'
import type { Exit } from './headgate-process.js'
import type { ReadRecord } from './reader.js'
import { PIPELINE, ROUTES, type Route } from './routes.js'
import type { Exchange } from './sender.js'

/** What a run looked like from outside. */
export interface Observations {
  readonly exchanges: readonly Exchange[]
  /** Everything in the topics of the config, dead letters included, as an independent consumer read it. */
  readonly records: readonly ReadRecord[]
  /** How often CXone saw each id acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** Headgate's own counts. */
  readonly metrics: Scrape
  readonly exit: Exit
}

export interface Reconciliation {
  /** The events of each route, counted in four places: one number, if all is well. */
  readonly routes: readonly RouteCount[]
  readonly redelivered: { readonly sent: number; readonly duplicates: number }
  readonly refused: readonly RefusalCount[]
  readonly outcomes: readonly OutcomeCount[]
  /** All that is not as it has to be, in sentences. */
  readonly differences: readonly string[]
}

interface RouteCount {
  readonly route: Route
  readonly sent: number
  readonly answered: number
  readonly inKafka: number
  readonly acknowledged: number
}

interface RefusalCount {
  readonly refusal: Refusal
  readonly sent: number
  readonly answered: number
}

/** What Headgate counted beside what its sender was told. */
export interface OutcomeCount {
  readonly outcome: string
  readonly headgate: number
  readonly sender: number
}

/** Holds what was seen in each place against what was sent. */
export function reconcile({ exchanges, records, acknowledged, metrics, exit }: Observations): Reconciliation {
  const events = responsesByEvent(exchanges)
  const recordAt = new Map(records.map((record) => [positionOf(record), record]))
  const acknowledgements = acknowledgementFaults(events, acknowledged)
  const checked = events.map((answered) => ({
    route: answered.event.expected.route,
    answered: responseFaults(answered),
    inKafka: recordFaults(answered, recordAt),
    acknowledged: acknowledgements.get(answered.event.id) ?? [],
  }))
  const routes = ROUTES.map((route): RouteCount => {
    const own = checked.filter((event) => event.route === route)
    const faultless = (place: 'answered' | 'inKafka' | 'acknowledged') =>
      own.filter((event) => event[place].length === 0).length
    return {
      route,
      sent: own.length,
      answered: faultless('answered'),
      inKafka: faultless('inKafka'),
      acknowledged: faultless('acknowledged'),
    }
  })

  const places = new Set(events.map(({ answers }) => positionOf(answers[0]?.body ?? {})))
  const strays = records.filter((record) => !places.has(positionOf(record)))
  const redeliveries = exchanges.filter(({ posting }) => posting.redelivery)
  const outcomes = countOutcomes(exchanges, metrics)
  return {
    routes,
    redelivered: { sent: redeliveries.length, duplicates: countResponses(exchanges, 'duplicate') },
    refused: countRefusals(exchanges),
    outcomes,
    differences: [
      ...checked.flatMap(({ answered, inKafka }) => [...answered, ...inKafka]),
      ...[...acknowledgements.values()].flat(),
      ...strays.map(
        (record) => `${record.key}: a record that no event was answered with, at ${positionOf(record)}.`,
      ),
      ...exchanges.flatMap(refusalFaults),
      ...outcomes.filter(({ headgate, sender }) => headgate !== sender).map(outcomeFault),
      ...(exit.code === 0
        ? []
        : [`Headgate ended with ${exit.signal ?? `exit code ${exit.code}`}, expected is 0.`]),
    ],
  }
}

function countRefusals(exchanges: readonly Exchange[]): RefusalCount[] {
  const counts = new Map<string, { refusal: Refusal; sent: number; answered: number }>()
  for (const exchange of exchanges) {
    const { expected } = exchange.posting.event
    if (expected.kind !== 'rejected') continue
    const count = counts.get(expected.why) ?? { refusal: expected, sent: 0, answered: 0 }
    count.sent++
    if (refusalFaults(exchange).length === 0) count.answered++
    counts.set(expected.why, count)
  }
  return [...counts.values()]
}

/** What is wrong with the answer to a request that has to be refused. */
function refusalFaults({ posting: { event }, response: answer }: Exchange): string[] {
  const { id, expected } = event
  if (expected.kind !== 'rejected') return []
  const code = answer.body?.['code']
  if (answer.status === expected.status && code === expected.code) return []
  return [
    `${id} (${expected.why}): answered ${answer.status} ${code}, expected is ${expected.status} ${expected.code}.`,
  ]
}

function countOutcomes(exchanges: readonly Exchange[], metrics: Scrape): OutcomeCount[] {
  return OUTCOMES.map((outcome) => ({
    outcome,
    headgate: metrics.sum('headgate_events_total', { pipeline: PIPELINE, outcome }),
    sender: countResponses(exchanges, outcome),
  }))
}

function countResponses(exchanges: readonly Exchange[], outcome: (typeof OUTCOMES)[number]): number {
  const answers = exchanges.map(({ response: answer }) => answer)
  if (outcome === 'unavailable') return answers.reduce((sum, { refusals }) => sum + refusals, 0)
  if (outcome === 'rejected') return answers.filter(({ status }) => status >= 400).length
  return answers.filter(({ body }) => body?.['outcome'] === outcome).length
}

const outcomeFault = ({ outcome, headgate, sender }: OutcomeCount): string =>
  `headgate_events_total counts ${headgate} ${outcome}, the sender was told ${sender}.`

/** What `/metrics` said at one moment. */
interface Scrape {
  /** The sum of the samples of a metric that have these labels, among others; 0 where there is none. */
  sum(name: string, labels?: Readonly<{ [label: string]: string }>): number
}

/** Reads the metrics of a process from its admin listener. */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', adminUrl))
  if (!response.ok) throw new Error(`GET /metrics was answered ${response.status}.`)
  return parseMetrics(await response.text())
}

const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/
const LABEL = /(?<label>\w+)="(?<value>(?:[^"\\]|\\.)*)"/g

/** Understands the text format of Prometheus as far as sums need it. */
export function parseMetrics(text: string): Scrape {
  const samples = text.split('\n').flatMap((line) => {
    const { name, labels = '', value } = SAMPLE.exec(line)?.groups ?? {}
    return name === undefined ? [] : [{ name, labels: parseLabels(labels), value: Number(value) }]
  })
  return {
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) =>
          Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
        )
        .reduce((total, { value }) => total + value, 0),
  }
}

function parseLabels(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(
    ({ groups }) => [groups?.label ?? '', groups?.value ?? ''] as const,
  )
  return new Map(pairs)
}
