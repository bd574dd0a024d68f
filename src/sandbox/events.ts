import type { ErrorCode } from '../contract/errors.js'
import { INVALID_EVENTS, type InvalidEvent } from './invalid-events.js'
import { PAYLOADS } from './payloads.js'
import { type Random, seeded } from './random.js'
import { PIPELINE, ROUTES, type Route } from './routes.js'

/** One request, and what has to come of it. */
export interface SandboxEvent<Outcome extends Delivery | Refusal = Delivery | Refusal> {
  readonly id: string
  readonly headers: Readonly<{ [name: string]: string }>
  readonly body: Buffer
  readonly expected: Outcome
}

export interface Delivery {
  readonly kind: 'delivered'
  readonly route: Route
  readonly value: Buffer
  /** Headers that the record has, among others. */
  readonly headers: Readonly<{ [name: string]: string }>
}

export interface Refusal {
  readonly kind: 'rejected'
  readonly why: string
  readonly status: number
  readonly code: ErrorCode
}

/** An event on its way to Headgate, for the first time or again. */
export interface Posting {
  readonly event: SandboxEvent
  readonly redelivery: boolean
}

export interface EventOptions {
  readonly count: number
  readonly token: string
  readonly seed: number
}

/** Enough for some of each kind. */
export const FEWEST_EVENTS = 20

const EPOCH = Date.UTC(2025, 5, 1, 8)
const WORDS = 'the caller asks for a call back about an invoice that was paid twice in spring '

/** CXone events in the order of posting: valid ones for every route, invalid ones, and redeliveries after their first. */
export function generateEvents({ count, token, seed }: EventOptions): readonly Posting[] {
  const random = seeded(seed)
  const invalidOfEach = Math.max(1, Math.floor(count / 100))
  const redelivered = Math.max(1, Math.floor(count / 20))
  const firsts = count - redelivered - invalidOfEach * INVALID_EVENTS.length

  const placed: { readonly place: number; readonly posting: Posting }[] = []
  const post = (place: number, event: SandboxEvent, redelivery = false) =>
    placed.push({ place, posting: { event, redelivery } })

  const valid = Array.from({ length: firsts }, (_, n) => validEvent(n, token, random))
  valid.forEach((event, n) => {
    post(n, event)
  })
  INVALID_EVENTS.forEach((invalid, kind) => {
    for (let n = 0; n < invalidOfEach; n++) {
      post(random.below(firsts), invalidEvent(invalid, `invalid-${kind}-${n}`, token))
    }
  })
  for (let n = 0; n < redelivered; n++) {
    const first = random.below(firsts)
    post(first + 1 + random.below(firsts - first), valid[first] as SandboxEvent, true)
  }
  return placed.sort((a, b) => a.place - b.place).map(({ posting }) => posting)
}

/** The `n`th of the valid events; the same `random` gives the same one. */
export function validEvent(n: number, token: string, random: Random): SandboxEvent<Delivery> {
  const route = ROUTES[n % ROUTES.length] as Route
  const text = WORDS.repeat(random.below(20)).trimEnd()
  const payload = random.pick(PAYLOADS[route.name])(n, text)
  const id = eventId(n)
  const eventType = random.pick(['DataActionCreated', 'DataActionUpdated', 'dataAction.abgeschlossen.größer'])
  const timestamp = new Date(EPOCH + n * 1000).toISOString()
  const trace = n % 5 === 0 ? { traceparent: traceparent(n) } : {}
  return {
    id,
    headers: { ...requestHeaders(token), ...trace },
    body: Buffer.from(envelope(random, { id, eventType, timestamp }, payload)),
    expected: {
      kind: 'delivered',
      route,
      value: Buffer.from(payload),
      headers: {
        'headgate-event-id': id,
        'headgate-pipeline': PIPELINE,
        'headgate-route': route.name,
        'event-type': eventType,
        'event-timestamp': timestamp,
        ...trace,
      },
    },
  }
}

/** An event that has to be refused. */
export const invalidEvent = (
  { why, status, code, ...invalid }: InvalidEvent,
  id: string,
  token: string,
): SandboxEvent<Refusal> => ({
  id,
  headers: requestHeaders(invalid.token ?? token),
  body: invalid.body(id),
  expected: { kind: 'rejected', why, status, code },
})

/** Most ids are plain; some would break a URL, some belong to two events with different bodies. */
function eventId(n: number): string {
  if (n % 41 === 40) return eventId(n - 1)
  if (n % 29 === 28) return `daten/aktion ${n}?ü=%2F#${n}`
  return `da-${String(n).padStart(6, '0')}`
}

function envelope(
  random: Random,
  { id, eventType, timestamp }: { id: string; eventType: string; timestamp: string },
  payload: string,
): string {
  const members = [
    `"dataActionId":${JSON.stringify(id)}`,
    `"eventType": ${JSON.stringify(eventType)}`,
    `"timestamp":"${timestamp}"`,
  ]
  return random.pick([
    `{${[...members, `"payload":${payload}`].join(',')}}`,
    ` {\n  "payload" : ${payload} ,\n  ${members.join(',\n  ')}\n}\r\n`,
    // Members that CXone may add one day.
    `{"tenant":{"id":42,"payload":{}},${members.join()},"payload":\t${payload}\n,"attempt":1}`,
  ])
}

const requestHeaders = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json; charset=utf-8',
})

/** W3C trace context of a sender. */
function traceparent(n: number): string {
  const id = (n + 1).toString(16)
  return `00-${id.padStart(32, 'a')}-${id.padStart(16, 'b')}-01`
}
