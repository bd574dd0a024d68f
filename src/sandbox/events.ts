import type { ErrorCode } from '../contract/errors.js'
import { PIPELINE, ROUTES, type Route, type RouteName } from './routes.js'

/** A request and its expected outcome. */
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
  /** Some of the headers of the record. */
  readonly headers: Readonly<{ [name: string]: string }>
}

export interface Refusal {
  readonly kind: 'rejected'
  readonly why: string
  readonly status: number
  readonly code: ErrorCode
}

/** One delivery of an event to Headgate: the first or a repeated one. */
export interface Posting {
  readonly event: SandboxEvent
  readonly redelivery: boolean
}

export interface EventOptions {
  readonly count: number
  readonly token: string
  readonly seed: number
}

/** The fewest with which every kind occurs. */
export const FEWEST_EVENTS = 20

const EPOCH = Date.UTC(2025, 5, 1, 8)
const WORDS = 'the caller asks for a call back about an invoice that was paid twice in spring '

/** CXone events in the order of posting: valid ones for every route, invalid ones, and redeliveries after their first delivery. */
export function generateEvents({ count, token, seed }: EventOptions): readonly Posting[] {
  const random = seeded(seed)
  const invalidOfEach = Math.max(1, Math.floor(count / 100))
  const redelivered = Math.max(1, Math.floor(count / 20))
  const firsts = count - redelivered - invalidOfEach * INVALID_EVENTS.length

  const positioned: { readonly position: number; readonly posting: Posting }[] = []
  const post = (position: number, event: SandboxEvent, redelivery = false) =>
    positioned.push({ position, posting: { event, redelivery } })

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
  return positioned.sort((a, b) => a.position - b.position).map(({ posting }) => posting)
}

/** The `n`th valid event; the same `random` gives the same event. */
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

/** An event that Headgate has to refuse. */
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

/** Most ids are plain; some need URL encoding, and some belong to two events with different bodies. */
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

/** The W3C trace context of a sender. */
function traceparent(n: number): string {
  const id = (n + 1).toString(16)
  return `00-${id.padStart(32, 'a')}-${id.padStart(16, 'b')}-01`
}

/** A payload as JSON text; `n` makes it unique, and the length of `text` (which must have no quotes) its size. */
type Payload = (n: number, text: string) => string

/**
 * Payloads by route. Written as text, because the exact text has to arrive: a round trip through JSON.parse would change the
 * integers over 2^53, `1.0`, the order of numeric keys, the escapes and the white space.
 */
const PAYLOADS: Readonly<Record<RouteName, readonly [Payload, ...Payload[]]>> = {
  'high-priority': [
    (n, text) => `{"priority":"high","region":"us-east","amount":129.50,"caseNumber":${n},"text":"${text}"}`,
    // The first rule that matches wins, also over the region.
    (n, text) =>
      `{ "region" : "eu-west",\r\n\t"priority" :\n  "high" , "caseNumber":${n}, "text": "${text}" }`,
    (n, text) =>
      `{"case":{"number":${n},"priority":"high"},"ids":[9007199254740993,-9007199254740995],"text":"${text}"}`,
    (n, text) =>
      `{"priority":"hi\\u0067h","caf\\u00e9":"\\ud83d\\ude80 \\/ \\t","caseNumber":${n},"text":"${text}"}`,
  ],
  'eu-west': [
    (n, text) => `{"region":"eu-west","priority":"normal","total":1.0,"caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"z":1,"10":"ten","2":"two","a":{"y":0.10,"b":null},"region":"eu-west","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"region":"eu\\u002dwest","city":"Zürich – 東京 🚀","caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"__proto__":{"region":"us"},"region":"eu-west","limit":1E400,"zero":-0,"caseNumber":${n},"text":"${text}"}`,
  ],
  otherwise: [
    (n, text) => `{"region":"us-east","priority":"normal","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"region":"eu-west-2","priority":"highest","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"note":"\\"priority\\":\\"high\\" is only quoted","caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"customer":{"region":"eu-west"},"same":1,"same":2.00,"caseNumber":12345678901234567890${n},"text":"${text}"}`,
    () => '{}',
  ],
}

/** A seeded generator: the same seed gives the same events, so that every run can be repeated. */
export interface Random {
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
}

/** The Mulberry32 generator. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
  return { below, pick: (items) => items[below(items.length)] ?? items[0] }
}

/** A request that Headgate has to refuse, with its expected response. */
export interface InvalidEvent {
  /** The reason, for the table. */
  readonly why: string
  readonly status: number
  readonly code: ErrorCode
  body(id: string): Buffer
  /** Sent instead of the right token. */
  readonly token?: string
}

const plainEnvelope = (id: string, payload: string): string =>
  `{"dataActionId":${JSON.stringify(id)},"eventType":"DataActionCreated","timestamp":"2025-06-01T08:00:00Z","payload":${payload}}`

export const INVALID_EVENTS: readonly InvalidEvent[] = [
  {
    why: 'wrong token',
    status: 401,
    code: 'HG_INTAKE_UNAUTHENTICATED',
    body: (id) => Buffer.from(plainEnvelope(id, '{"priority":"high"}')),
    token: 'not-the-token',
  },
  {
    why: 'not JSON',
    status: 400,
    code: 'HG_INTAKE_NOT_JSON',
    body: (id) => Buffer.from(plainEnvelope(id, '{"priority":"high"').slice(0, -1)),
  },
  {
    why: 'not UTF-8',
    status: 400,
    code: 'HG_INTAKE_NOT_UTF8',
    body: (id) => Buffer.from(plainEnvelope(id, '{"city":"Zürich"}'), 'latin1'),
  },
  {
    why: 'duplicate id',
    status: 400,
    code: 'HG_INTAKE_DUPLICATE_KEY',
    body: (id) => Buffer.from(`{"dataActionId":"other",${plainEnvelope(id, '{}').slice(1)}`),
  },
  {
    why: 'no id',
    status: 400,
    code: 'HG_INTAKE_NO_ID',
    body: (id) => Buffer.from(plainEnvelope(id, '{"priority":"high"}').replace('dataActionId', 'actionId')),
  },
  {
    why: 'against the schema',
    status: 422,
    code: 'HG_SCHEMA_VIOLATION',
    body: (id) => Buffer.from(plainEnvelope(id, '"a text and not an object"')),
  },
]
