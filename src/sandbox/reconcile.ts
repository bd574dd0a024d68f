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

/** The observations of a run from outside. */
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
  /** The events of each route, counted in four places; the counts are equal if nothing is lost. */
  readonly routes: readonly RouteCount[]
  readonly redelivered: { readonly sent: number; readonly duplicates: number }
  readonly refused: readonly RefusalCount[]
  readonly outcomes: readonly OutcomeCount[]
  /** Every difference as a sentence. */
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

/** The count of Headgate's metrics, and the count of the responses that the sender got. */
export interface OutcomeCount {
  readonly outcome: string
  readonly headgate: number
  readonly sender: number
}

/** Compares the observations with the events that were sent. */
export function reconcile({ exchanges, records, acknowledged, metrics, exit }: Observations): Reconciliation {
  const events = responsesByEvent(exchanges)
  const recordAt = new Map(records.map((record) => [positionOf(record), record]))
  const acknowledgements = acknowledgementFaults(events, acknowledged)
  const checked = events.map((event) => ({
    route: event.event.expected.route,
    answered: responseFaults(event),
    inKafka: recordFaults(event, recordAt),
    acknowledged: acknowledgements.get(event.event.id) ?? [],
  }))
  const routes = ROUTES.map((route): RouteCount => {
    const own = checked.filter((event) => event.route === route)
    const faultless = (column: 'answered' | 'inKafka' | 'acknowledged') =>
      own.filter((event) => event[column].length === 0).length
    return {
      route,
      sent: own.length,
      answered: faultless('answered'),
      inKafka: faultless('inKafka'),
      acknowledged: faultless('acknowledged'),
    }
  })

  const positions = new Set(events.map(({ responses }) => positionOf(responses[0]?.body ?? {})))
  const strays = records.filter((record) => !positions.has(positionOf(record)))
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
      ...strays.map((record) => `${record.key}: no response names this record, at ${positionOf(record)}.`),
      ...exchanges.flatMap(refusalFaults),
      ...outcomes.filter(({ headgate, sender }) => headgate !== sender).map(outcomeFault),
      ...(exit.code === 0
        ? []
        : [`Headgate ended with ${exit.signal ?? `exit code ${exit.code}`}; expected exit code 0.`]),
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

/** Faults in the response to a request that Headgate has to refuse. */
function refusalFaults({ posting: { event }, response }: Exchange): string[] {
  const { id, expected } = event
  if (expected.kind !== 'rejected') return []
  const code = response.body?.['code']
  if (response.status === expected.status && code === expected.code) return []
  return [
    `${id} (${expected.why}): the response was ${response.status} ${code}; expected ${expected.status} ${expected.code}.`,
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
  const responses = exchanges.map(({ response }) => response)
  if (outcome === 'unavailable') return responses.reduce((sum, { refusals }) => sum + refusals, 0)
  if (outcome === 'rejected') return responses.filter(({ status }) => status >= 400).length
  return responses.filter(({ body }) => body?.['outcome'] === outcome).length
}

const outcomeFault = ({ outcome, headgate, sender }: OutcomeCount): string =>
  `headgate_events_total counts ${headgate} ${outcome}; the sender got ${sender} such responses.`

/** The response of `/metrics` at one moment. */
interface Scrape {
  /** The sum of the samples of a metric with at least these labels; 0 if there are none. */
  sum(name: string, labels?: Readonly<{ [label: string]: string }>): number
}

/** Reads the metrics of a process from its admin listener. */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', adminUrl))
  if (!response.ok) throw new Error(`GET /metrics responded ${response.status}; expected 200.`)
  return parseMetrics(await response.text())
}

const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/
const LABEL = /(?<label>\w+)="(?<value>(?:[^"\\]|\\.)*)"/g

/** Parses as much of Prometheus' text format as sums need. */
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
