import type { Delivery, SandboxEvent } from './events.js'
import type { ReadRecord } from './reader.js'
import type { Exchange, SenderResponse } from './sender.js'

/** A valid event with all its responses: one per request. */
interface EventResponses {
  readonly event: SandboxEvent<Delivery>
  readonly responses: readonly SenderResponse[]
}

/** Each valid event once, with its responses. */
export function responsesByEvent(exchanges: readonly Exchange[]): EventResponses[] {
  const byEvent = new Map<SandboxEvent, SenderResponse[]>()
  for (const { posting, response } of exchanges) {
    const others = byEvent.get(posting.event)
    if (others === undefined) byEvent.set(posting.event, [response])
    else others.push(response)
  }
  return [...byEvent].flatMap(([event, responses]) => (isValid(event) ? [{ event, responses }] : []))
}

export const isValid = (event: SandboxEvent): event is SandboxEvent<Delivery> =>
  event.expected.kind === 'delivered'

/** Topic, partition and offset as one text; the response of a refusal has none of them. */
export const positionOf = ({
  topic,
  partition,
  offset,
}: {
  topic?: unknown
  partition?: unknown
  offset?: unknown
}) => `${topic}, partition ${partition}, offset ${offset}`

/** Faults in the responses: one has to be `delivered`, all others `duplicate` with the same position. */
export function responseFaults({ event: { id }, responses }: EventResponses): string[] {
  const failed = responses.find(({ status }) => status !== 200)
  if (failed)
    return [`${id}: the response was ${failed.status} ${failed.body?.['code'] ?? ''}; expected 200.`]
  const outcomes = responses.map(({ body }) => body?.['outcome'])
  const delivered = outcomes.filter((outcome) => outcome === 'delivered').length
  const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length
  const faults: string[] = []
  if (delivered !== 1 || delivered + duplicates !== outcomes.length) {
    faults.push(
      `${id}: the outcomes were ${outcomes.join(', ')}; expected delivered once, and duplicate otherwise.`,
    )
  }
  const positions = new Set(responses.map(({ body }) => positionOf(body ?? {})))
  if (positions.size > 1)
    faults.push(`${id}: the responses name different positions: ${[...positions].join('; ')}.`)
  return faults
}

/** Faults in the record at the position that the response names. */
export function recordFaults(
  { event: { id, expected }, responses }: EventResponses,
  recordAt: ReadonlyMap<string, ReadRecord>,
): string[] {
  const position = positionOf(responses[0]?.body ?? {})
  const record = recordAt.get(position)
  if (record === undefined)
    return [`${id}: Kafka has no record at the position that the response names: ${position}.`]
  const { route, value, headers } = expected
  const faults: string[] = []
  if (record.topic !== route.topic || record.partition !== route.partition) {
    faults.push(`${id}: the record is in ${position}; expected ${route.topic}, partition ${route.partition}.`)
  }
  if (record.key?.toString() !== id)
    faults.push(`${id}: the key of the record is ${record.key}; expected ${id}.`)
  if (!record.value.equals(value))
    faults.push(`${id}: the value of the record is ${record.value}; expected ${value}.`)
  for (const [name, text] of Object.entries(headers)) {
    const found = record.headers[name]
    if (found !== text) faults.push(`${id}: the header ${name} of the record is ${found}; expected ${text}.`)
  }
  if (!record.headers['headgate-revision']) faults.push(`${id}: the record has no header headgate-revision.`)
  return faults
}

/**
 * Faults in the acknowledgements, by id. If several events have the same id, each of them is acknowledged. More acknowledgements
 * than expected are fine: CXone responds 409 to the further ones.
 */
export function acknowledgementFaults(
  events: readonly EventResponses[],
  acknowledged: ReadonlyMap<string, number>,
): Map<string, string[]> {
  const expected = new Map<string, number>()
  for (const { event } of events) expected.set(event.id, (expected.get(event.id) ?? 0) + 1)
  const faults = new Map<string, string[]>()
  for (const [id, times] of expected) {
    const seen = acknowledged.get(id) ?? 0
    if (seen < times) faults.set(id, [`${id}: acknowledged ${seen} times; expected ${times}.`])
  }
  for (const id of acknowledged.keys()) {
    if (!expected.has(id)) faults.set(id, [`${id}: acknowledged, although it was not delivered.`])
  }
  return faults
}
