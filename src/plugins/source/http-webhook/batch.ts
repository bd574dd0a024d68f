import type { Static } from 'typebox'
import { HeadgateError } from '../../../contract/errors.js'
import type { Event, HttpResponse, JsonBody, Outcome } from '../../../contract/index.js'
import { problem } from '../../../http/problem.js'
import { elementsOf, parseBody, partOf } from '../../../lib/json/body.js'
import { Pointer, pointer, Type } from '../../../lib/json/pointer.js'

export const Split = Type.Object(
  {
    at: Pointer({
      default: '',
      description:
        'The location of the array; "" is the whole body. A value there that is no array is the only item. A body of the format "ndjson" is split into its lines.',
    }),
    maxItems: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 5000,
      description: 'A request with more items gets 413.',
    }),
    enabled: Type.Boolean({
      default: true,
      description: 'False if a request is to be one event although the `sender` sends batches.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'For senders that send several events in a request: each item of an array is an event of its own, with its own id, decision and record. `eventId`, schemas and rules then see the item alone.',
  },
)

export type SplitSettings = Static<typeof Split>

/** How a body is split; undefined if a request is one event. */
export const splitting = (split: SplitSettings | undefined): SplitSettings | undefined =>
  split?.enabled ? split : undefined

/** The events of one request. Each item throws a HeadgateError if it is not an event. */
export interface Batch {
  readonly kind: 'batch'
  readonly items: readonly (() => Event)[]
  /** Bytes that were made of the body of the request. */
  readonly body: Pick<JsonBody, 'bytes' | 'original'>
}

/** Compiles the function that finds the items of a body. */
export function splitter({ at, maxItems }: SplitSettings): (body: JsonBody) => readonly (() => JsonBody)[] {
  const place = pointer(at)
  return (body) => {
    const found = place.read(body.value)
    if (found === undefined)
      throw new HeadgateError(
        'HG_INTAKE_NO_BATCH',
        `Expected an array of events at "${at}" of the body; found nothing.`,
      )
    if (!Array.isArray(found)) return [() => (at === '' ? body : partOf(body.slice(place) as Buffer, found))]
    requireItems(found.length, maxItems)
    return elementsOf(body.slice(place) as Buffer).map((bytes, index) => () => partOf(bytes, found[index]))
  }
}

const LINE_FEED = 0x0a
const BLANK = /^[ \t\r]*$/

/** The lines of a body that are not blank. */
export function linesOf(
  bytes: Buffer,
  { maxItems }: SplitSettings,
  maxDepth: number,
): readonly (() => JsonBody)[] {
  const lines: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start)
    const end = found === -1 ? bytes.length : found
    const line = withoutReturn(bytes.subarray(start, end))
    if (line.length > SHORT || !BLANK.test(line.toString('latin1'))) lines.push(line)
    requireItems(lines.length, maxItems)
    start = end + 1
  }
  return lines.map((line) => () => parseBody(line, maxDepth))
}

/** A line this long is an item, blank or not. */
const SHORT = 16

const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line)

function requireItems(count: number, most: number): void {
  if (count <= most) return
  throw new HeadgateError(
    'HG_INTAKE_TOO_MANY_ITEMS',
    `The body has more than ${most} events; no more are accepted.`,
  )
}

type Ended = Exclude<Outcome, { kind: 'handshake' }>

/** From the one that the sender must hear of to the one that changes nothing. */
const ORDER: readonly Ended['kind'][] = [
  'unavailable',
  'limited',
  'rejected',
  'dead-lettered',
  'accepted',
  'delivered',
  'duplicate',
  'dropped',
]

/** The outcome that decides the status of a batch: the sender has to send all of it again if one item needs that. */
export const worstOf = (outcomes: readonly Ended[]): Ended | undefined =>
  ORDER.flatMap((kind) => outcomes.find((outcome) => outcome.kind === kind) ?? [])[0]

/** The response to a batch: as to its worst item, with the outcome of each in their order. */
export function batchResponse(outcomes: readonly Ended[], response: HttpResponse | undefined): HttpResponse {
  const items = outcomes.map(itemOf)
  if (response === undefined) return { status: 200, headers: JSON_HEADERS, body: JSON.stringify({ items }) }
  const {
    id: _,
    topic: __,
    partition: ___,
    offset: ____,
    errors: _____,
    ...whole
  } = JSON.parse(response.body)
  return { ...response, body: JSON.stringify({ ...whole, items }) }
}

const JSON_HEADERS = { 'content-type': 'application/json' }

function itemOf(outcome: Ended): object {
  const { kind, id } = outcome
  if ('receipt' in outcome) {
    const { topic, partition, offset } = outcome.receipt
    return { id, outcome: kind, topic, partition, offset }
  }
  if (!('error' in outcome)) return { id, outcome: kind }
  const { detail, code, errors } = JSON.parse(problem(outcome.error).body)
  return { id, outcome: kind, code, detail, errors }
}
