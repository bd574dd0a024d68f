import { generateEvents, type SandboxEvent } from '../../../src/sandbox/events.js'
import { isValid } from '../../../src/sandbox/faults.js'
import type { ReadRecord } from '../../../src/sandbox/reader.js'
import { type Observations, parseMetrics } from '../../../src/sandbox/reconcile.js'
import type { Exchange } from '../../../src/sandbox/sender.js'

export type MutableObserved = { -readonly [member in keyof Observations]: Observations[member] } & {
  exchanges: Exchange[]
  records: ReadRecord[]
  acknowledged: Map<string, number>
}

/** A run without a fault as seen from outside, for tests to spoil. */
export function perfectRun(count = 100): MutableObserved {
  const records: ReadRecord[] = []
  const acknowledged = new Map<string, number>()
  const places = new Map<SandboxEvent, object>()
  const outcomes = { delivered: 0, duplicate: 0, rejected: 0 }

  const response = (event: SandboxEvent): Exchange['response'] => {
    if (!isValid(event)) {
      outcomes.rejected++
      const { status, code } = event.expected as { status: number; code: string }
      return { status, body: { code }, refusals: 0 }
    }
    const known = places.get(event)
    const outcome = known === undefined ? 'delivered' : 'duplicate'
    outcomes[outcome]++
    const place = known ?? store(event)
    places.set(event, place)
    return { status: 200, body: { id: event.id, outcome, ...place }, refusals: 0 }
  }
  const store = ({ id, expected }: SandboxEvent & { expected: { kind: 'delivered' } }): object => {
    const { route, value, headers } = expected
    const place = { topic: route.topic, partition: route.partition, offset: records.length }
    records.push({
      ...place,
      timestamp: Date.UTC(2026, 0, 1),
      key: Buffer.from(id),
      value,
      headers: { ...headers, 'headgate-revision': 'abc' },
    })
    acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1)
    return place
  }

  const postings = generateEvents({ count, token: 'secret', seed: 1 })
  const exchanges = postings.map((posting) => ({ posting, response: response(posting.event) }))
  return { exchanges, records, acknowledged, metrics: metricsOf(outcomes), exit: { code: 0, signal: null } }
}

export const metricsOf = (outcomes: { readonly [outcome: string]: number }) =>
  parseMetrics(
    Object.entries(outcomes)
      .map(([outcome, n]) => `headgate_events_total{pipeline="cxone-data-actions",outcome="${outcome}"} ${n}`)
      .join('\n'),
  )
