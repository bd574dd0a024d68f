import type { Violation } from '../contract/errors.js'
import {
  type Event,
  type RecordHeader,
  receivedBytes,
  type Sink,
  type SinkRecord,
  type Target,
} from '../contract/index.js'
import { connectHeaders, HEADER } from '../ledger/record-headers.js'
import type { DeadLettered } from './decision.js'
import type { RecordMac } from './record-mac.js'
import { requestText } from './request-parts.js'

/** Makes the records of one pipeline under one config. */
export interface RecordOrigin {
  readonly name: string
  readonly revision: string
  readonly mac: RecordMac
  readonly sink: Pick<Sink, 'record' | 'key' | 'headers'>
}

/**
 * A sender can make each of these long, and the size of a record is limited: with the largest body, all of them together must
 * fit into the 44 KiB that the default of the source's `maxBody` leaves for them. The record has the violations twice.
 */
const MOST_VIOLATIONS_BYTES = 12 * 1024
const MOST_MESSAGE_BYTES = 2 * 1024
const MOST_KEY_BYTES = 4 * 1024
const MOST_EVENT_HEADERS_BYTES = 4 * 1024

/** The record of an event that passed all transforms. */
export const eventRecord = (origin: RecordOrigin, event: Event, digest: string): SinkRecord =>
  origin.sink.record(
    event,
    originHeaders(origin, event, digest, event.route?.name, event.route?.target.topic ?? ''),
  )

/**
 * A dead letter: the bytes as they were received, with the key and the headers that their record would have had, as far as
 * they can be computed. The reason is in the headers that Kafka Connect uses (KIP-298), so that tools for Connect's dead
 * letters read ours. Connect's `topic`, `partition` and `offset` name a consumed record; there is none here.
 */
export function deadLetterRecord(
  origin: RecordOrigin,
  target: Target,
  event: Event,
  digest: string,
  { error, by }: DeadLettered,
  remoteAddress: string | undefined,
): SinkRecord {
  const violations = whileWithin(MOST_VIOLATIONS_BYTES, error.violations, (one) => JSON.stringify(one))
  const message = cut(error.message)
  const key = origin.sink.key(event)
  const headers = [
    ...originHeaders(origin, event, digest, error.rule ?? event.route?.name, target.topic),
    ...connectHeaders({
      'connector.name': by.pipeline,
      'task.id': '0',
      stage: by.stage.startsWith('sink') ? 'TASK_PUT' : 'TRANSFORMATION',
      'class.name': by.plugin,
      'exception.class.name': error.code,
      'exception.message': message,
      'exception.stacktrace': reasons(error.code, message, violations),
    }),
    { name: HEADER.stage, value: by.stage },
    ...(remoteAddress === undefined ? [] : [{ name: HEADER.remoteAddress, value: remoteAddress }]),
    ...(violations.length > 0 ? [{ name: HEADER.violations, value: JSON.stringify(violations) }] : []),
    ...whileWithin(MOST_EVENT_HEADERS_BYTES, origin.sink.headers?.(event) ?? [], ({ value }) => value),
  ]
  const keyFits = key === null || key.length <= MOST_KEY_BYTES
  return { target, key: keyFits ? key : null, value: receivedBytes(event.body), headers }
}

/** The origin of a record. A recovery of the ledger identifies the record by the first four headers. */
function originHeaders(
  { name, revision, mac }: RecordOrigin,
  { id, body, traceparent, tracestate, request }: Event,
  digest: string,
  rule: string | undefined,
  topic: string,
): RecordHeader[] {
  const read = request && requestText(request)
  const headers: RecordHeader[] = [
    { name: HEADER.id, value: id },
    { name: HEADER.digest, value: digest },
    { name: HEADER.pipeline, value: name },
    { name: HEADER.mac, value: mac.of(topic, id, digest, read) },
    { name: HEADER.revision, value: revision },
  ]
  if (rule !== undefined) headers.push({ name: HEADER.route, value: rule })
  if (body.original !== undefined) headers.push({ name: HEADER.contentType, value: body.original.type })
  if (traceparent !== undefined) headers.push({ name: HEADER.traceparent, value: traceparent })
  if (tracestate !== undefined) headers.push({ name: HEADER.tracestate, value: tracestate })
  if (read !== undefined) headers.push({ name: HEADER.request, value: read })
  return headers
}

const reasons = (code: string, message: string, violations: readonly Violation[]): string =>
  [`${code}: ${message}`, ...violations.map(({ pointer, message }) => `  at ${pointer}: ${message}`)].join(
    '\n',
  )

/** The longest prefix with at most `most` bytes in total. */
function whileWithin<One>(most: number, all: readonly One[], text: (one: One) => string): readonly One[] {
  let bytes = 0
  const tooMany = all.findIndex((one) => {
    bytes += Buffer.byteLength(text(one))
    return bytes > most
  })
  return tooMany === -1 ? all : all.slice(0, tooMany)
}

/** Cuts at a character boundary. */
function cut(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MOST_MESSAGE_BYTES) return text
  let end = MOST_MESSAGE_BYTES
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}...`
}
