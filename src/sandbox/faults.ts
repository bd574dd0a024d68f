import type { Delivery, SandboxEvent } from './events.js'
import type { ReadRecord } from './reader.js'
import type { Exchange, SenderResponse } from './sender.js'

/** A valid event with all answers it got: one for each time it was posted. */
interface EventResponses {
  readonly event: SandboxEvent<Delivery>
  readonly answers: readonly SenderResponse[]
}

/** The valid events, each once. */
export function responsesByEvent(exchanges: readonly Exchange[]): EventResponses[] {
  const answers = new Map<SandboxEvent, SenderResponse[]>()
  for (const { posting, response: answer } of exchanges) {
    const others = answers.get(posting.event)
    if (others === undefined) answers.set(posting.event, [answer])
    else others.push(answer)
  }
  return [...answers].flatMap(([event, answers]) => (isValid(event) ? [{ event, answers }] : []))
}

export const isValid = (event: SandboxEvent): event is SandboxEvent<Delivery> =>
  event.expected.kind === 'delivered'

/** Where a record stands, as one text; of an answer without a place, too. */
export const positionOf = ({
  topic,
  partition,
  offset,
}: {
  topic?: unknown
  partition?: unknown
  offset?: unknown
}) => `${topic}, partition ${partition}, offset ${offset}`

/** What is wrong with the answers: one has to be `delivered`, all others `duplicate` with the same place. */
export function responseFaults({ event: { id }, answers }: EventResponses): string[] {
  const failed = answers.find(({ status }) => status !== 200)
  if (failed) return [`${id}: answered ${failed.status} ${failed.body?.['code'] ?? ''}, expected is 200.`]
  const outcomes = answers.map(({ body }) => body?.['outcome'])
  const delivered = outcomes.filter((outcome) => outcome === 'delivered').length
  const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length
  const faults: string[] = []
  if (delivered !== 1 || delivered + duplicates !== outcomes.length) {
    faults.push(
      `${id}: answered ${outcomes.join(', ')}; expected is delivered once, and duplicate otherwise.`,
    )
  }
  const places = new Set(answers.map(({ body }) => positionOf(body ?? {})))
  if (places.size > 1) faults.push(`${id}: answered with different places: ${[...places].join('; ')}.`)
  return faults
}

/** What is wrong with the record at the place that the answer names. */
export function recordFaults(
  { event: { id, expected }, answers }: EventResponses,
  recordAt: ReadonlyMap<string, ReadRecord>,
): string[] {
  const place = positionOf(answers[0]?.body ?? {})
  const record = recordAt.get(place)
  if (record === undefined) return [`${id}: Kafka has no record at the place of the answer: ${place}.`]
  const { route, value, headers } = expected
  const faults: string[] = []
  if (record.topic !== route.topic || record.partition !== route.partition) {
    faults.push(
      `${id}: the record is at ${place}; it belongs into ${route.topic}, partition ${route.partition}.`,
    )
  }
  if (record.key?.toString() !== id) faults.push(`${id}: the key of the record is ${record.key}.`)
  if (!record.value.equals(value))
    faults.push(`${id}: the value of the record is ${record.value}; sent was ${value}.`)
  for (const [name, text] of Object.entries(headers)) {
    const found = record.headers[name]
    if (found !== text)
      faults.push(`${id}: the header ${name} of the record is ${found}; expected is ${text}.`)
  }
  if (!record.headers['headgate-revision']) faults.push(`${id}: the record has no header headgate-revision.`)
  return faults
}

/**
 * What is wrong with the acknowledgements, by id. Events can have an id in common; each of them is acknowledged. More
 * often is fine: CXone answers 409 to what it knows already.
 */
export function acknowledgementFaults(
  events: readonly EventResponses[],
  acknowledged: ReadonlyMap<string, number>,
): Map<string, string[]> {
  const due = new Map<string, number>()
  for (const { event } of events) due.set(event.id, (due.get(event.id) ?? 0) + 1)
  const faults = new Map<string, string[]>()
  for (const [id, times] of due) {
    const seen = acknowledged.get(id) ?? 0
    if (seen < times) faults.set(id, [`${id}: acknowledged ${seen} times; expected is ${times}.`])
  }
  for (const id of acknowledged.keys()) {
    if (!due.has(id)) faults.set(id, [`${id}: acknowledged, though it was never delivered.`])
  }
  return faults
}
