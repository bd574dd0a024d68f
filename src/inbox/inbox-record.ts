import { shapeChecker } from '../config/shape.js'
import { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, SinkRecord } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { Type } from '../lib/json/pointer.js'
import { type DecidedMessage, fromDecidedMessage, toDecidedMessage } from '../pipeline/decided-message.js'
import type { DecidedEvent } from '../pipeline/decision.js'

/**
 * The version of the form below. Instances of two releases share an inbox while they are upgraded one after the other, so a
 * release that introduces a form must still write the form before it.
 */
const VERSION = 1

const closed = { additionalProperties: false } as const
const Target = Type.Object(
  {
    topic: Type.String({ pattern: '^[a-zA-Z0-9._-]{1,249}$' }),
    partition: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
)
const Texts = Type.Record(Type.String(), Type.String())
const RequestForm = Type.Object(
  {
    method: Type.Optional(Type.String()),
    path: Type.Optional(Type.String()),
    headers: Type.Optional(Texts),
    query: Type.Optional(Texts),
  },
  closed,
)
const Offset = Type.Integer({ minimum: 0 })
const WrittenRecord = Type.Object(
  {
    target: Type.Optional(Target),
    headers: Type.Array(Type.String()),
    keyed: Type.Boolean(),
    value: Type.Optional(Type.Tuple([Offset, Offset])),
  },
  closed,
)
const Verdict = Type.Union([
  Type.Object({ kind: Type.Literal('send'), record: WrittenRecord }, closed),
  Type.Object({ kind: Type.Literal('drop') }, closed),
  Type.Object(
    {
      kind: Type.Literal('dead-letter'),
      record: WrittenRecord,
      // The record has the violations in its headers.
      error: Type.Object({ code: Type.String(), message: Type.String() }, closed),
      stage: Type.String(),
    },
    closed,
  ),
])

/** The header of a record of the inbox. Its value has the bytes: those of the event come first. */
const Form = Type.Object(
  {
    version: Type.Literal(VERSION),
    id: Type.String({ minLength: 1 }),
    digest: Type.String({ minLength: 1 }),
    receivedAt: Type.Number(),
    type: Type.Optional(Type.String()),
    traceparent: Type.Optional(Type.String()),
    tracestate: Type.Optional(Type.String()),
    request: Type.Optional(RequestForm),
    route: Type.Optional(Type.Object({ name: Type.String(), target: Target }, closed)),
    verdict: Verdict,
    /** The lengths of the parts of the value. */
    parts: Type.Array(Offset, { minItems: 1, maxItems: 3 }),
  },
  closed,
)

const checkHeader = shapeChecker(Form)

type Header = DecidedMessage & {
  readonly version: number
  readonly traceparent?: string
  readonly tracestate?: string
  readonly parts: readonly number[]
}

/**
 * The record of an event in the inbox. Its key is the id of the event, so that all deliveries of an event are in one partition,
 * whichever instances accept them.
 */
export function toInboxRecord(topic: string, decided: DecidedEvent): SinkRecord {
  const { message, parts } = toDecidedMessage(decided)
  const { id, traceparent, tracestate } = decided.event
  const { verdict } = message
  const header = {
    version: VERSION,
    ...message,
    traceparent,
    tracestate,
    ...(verdict.kind === 'dead-letter' && {
      verdict: { ...verdict, error: { code: verdict.error.code, message: verdict.error.message } },
    }),
    parts: parts.map(({ length }) => length),
  }
  return {
    target: { topic },
    key: Buffer.from(id),
    value: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts),
    headers: [{ name: HEADER.inbox, value: JSON.stringify(header) }],
  }
}

/** Throws HG_INBOX_RECORD if the record has not the form of one. */
export function fromInboxRecord(record: LoggedRecord): DecidedEvent {
  const header = headerOf(record.header(HEADER.inbox))
  const parts: Buffer[] = []
  let end = 0
  for (const length of header.parts) {
    parts.push(record.value.subarray(end, end + length))
    end += length
  }
  if (end !== record.value.length) throw unreadable('its value does not have the length that its header says')
  requireParts(header, parts)
  try {
    return fromDecidedMessage(header, header, parts)
  } catch {
    throw unreadable('this release does not know the code of its error')
  }
}

function headerOf(text: string | undefined): Header {
  if (text === undefined) throw unreadable(`it has no header "${HEADER.inbox}"`)
  const header = parse(text)
  const { version } = header as { version?: unknown }
  if (version !== VERSION)
    throw unreadable(
      `it has the form of version ${JSON.stringify(version)}, and this release reads version ${VERSION}`,
    )
  const [problem] = checkHeader(header)
  if (problem !== undefined)
    throw unreadable(`its header is malformed at ${problem.pointer}: ${problem.message}`)
  return header as Header
}

function parse(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {}
  throw unreadable('its header is not a JSON object')
}

/** Every part that the verdict refers to is there. */
function requireParts({ verdict, route }: Header, parts: readonly Buffer[]): void {
  if (!('record' in verdict)) return
  const { target, headers, keyed, value } = verdict.record
  const [from, to] = value ?? [0, 0]
  const count = 1 + Number(keyed) + Number(value === undefined)
  if (
    parts.length !== count ||
    from > to ||
    to > (parts[0] as Buffer).length ||
    headers.length % 2 !== 0 ||
    (target ?? route) === undefined
  )
    throw unreadable('parts of it are missing')
}

const unreadable = (why: string): HeadgateError =>
  new HeadgateError('HG_INBOX_RECORD', `A record of the inbox cannot be read: ${why}.`)
