import type { HeadgateError, Violation } from '../errors.js'
import type { Event, RecordHeader, SinkRecord, Target } from '../plugin.js'
import type { Pipeline } from './build.js'
import { CONNECT, HEADER } from './header-names.js'
import type { DeadLettered } from './observe.js'

type Origin = Pick<Pipeline, 'name' | 'revision' | 'sink'>

/** A sender can make the list of what is wrong with its event long, and a record has a largest size. */
const MOST_VIOLATIONS_BYTES = 16 * 1024

/** What is written for an event that passed. */
export const eventRecord = (origin: Origin, event: Event, digest: string): SinkRecord =>
  origin.sink.record(event, originHeaders(origin, event, digest, event.route?.name))

/**
 * A dead letter: the bytes as they were received, with the key and the headers that their record would have had as far
 * as they can be had, and why they are here as Kafka Connect writes it (KIP-298), so that what reads Connect's dead
 * letters reads ours. Connect's `topic`, `partition` and `offset` name a consumed record; there is none here.
 */
export function deadLetterRecord(
  origin: Origin,
  target: Target,
  event: Event,
  digest: string,
  { error, place }: DeadLettered,
): SinkRecord {
  const violations = bounded(error.violations)
  const headers = [
    ...originHeaders(origin, event, digest, error.rule ?? event.route?.name),
    connect('connector.name', place.pipeline),
    connect('task.id', '0'),
    connect('stage', place.stage.startsWith('sink') ? 'TASK_PUT' : 'TRANSFORMATION'),
    connect('class.name', place.plugin),
    connect('exception.class.name', error.code),
    connect('exception.message', error.message),
    connect('exception.stacktrace', reasons(error, violations)),
    { name: HEADER.stage, value: place.stage },
    ...(violations.length > 0 ? [{ name: HEADER.violations, value: JSON.stringify(violations) }] : []),
    ...(origin.sink.headers?.(event) ?? []),
  ]
  return { target, key: origin.sink.key(event), value: event.body.bytes, headers }
}

/** Where a record comes from; the first three are what the ledger knows it by when it is read back. */
function originHeaders(
  { name, revision }: Origin,
  { id, traceparent, tracestate }: Event,
  digest: string,
  rule: string | undefined,
): RecordHeader[] {
  const headers: RecordHeader[] = [
    { name: HEADER.id, value: id },
    { name: HEADER.digest, value: digest },
    { name: HEADER.pipeline, value: name },
    { name: HEADER.revision, value: revision },
  ]
  if (rule !== undefined) headers.push({ name: HEADER.route, value: rule })
  if (traceparent !== undefined) headers.push({ name: HEADER.traceparent, value: traceparent })
  if (tracestate !== undefined) headers.push({ name: HEADER.tracestate, value: tracestate })
  return headers
}

// Clients in C cut a header at NUL, which a text that quotes an event can hold.
const connect = (name: string, value: string): RecordHeader => ({
  name: `${CONNECT}${name}`,
  value: value.replaceAll('\0', '\\0'),
})

const reasons = ({ code, message }: HeadgateError, violations: readonly Violation[]): string =>
  [`${code}: ${message}`, ...violations.map(({ pointer, message }) => `  at ${pointer}: ${message}`)].join(
    '\n',
  )

function bounded(violations: readonly Violation[]): readonly Violation[] {
  let bytes = 0
  const tooMany = violations.findIndex((violation) => {
    bytes += Buffer.byteLength(JSON.stringify(violation))
    return bytes > MOST_VIOLATIONS_BYTES
  })
  return tooMany === -1 ? violations : violations.slice(0, tooMany)
}
