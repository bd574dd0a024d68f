import type { HeadgateError } from '../errors.js'
import type { Event, RecordHeader, SinkRecord, Target } from '../plugin.js'
import type { Pipeline } from './build.js'
import { DIGEST_HEADER, ID_HEADER, PIPELINE_HEADER } from './ledger/durable-ledger.js'
import type { DeadLettered } from './observe.js'

type Origin = Pick<Pipeline, 'name' | 'revision' | 'sink'>

/** What is written for an event that passed. */
export const eventRecord = (origin: Origin, event: Event, digest: string): SinkRecord =>
  origin.sink.record(event, originHeaders(origin, event, digest))

/**
 * A dead letter: the bytes as they were received, and why they are here as Kafka Connect writes it (KIP-298), so that
 * what reads Connect's dead letters reads ours. Connect's `topic`, `partition` and `offset` name a consumed record;
 * there is none here.
 */
export function deadLetterRecord(
  origin: Origin,
  target: Target,
  event: Event,
  digest: string,
  { error, place }: DeadLettered,
): SinkRecord {
  const headers = [
    ...originHeaders(origin, event, digest),
    connect('connector.name', place.pipeline),
    connect('task.id', '0'),
    connect('stage', place.stage.startsWith('sink') ? 'TASK_PUT' : 'TRANSFORMATION'),
    connect('class.name', place.plugin),
    connect('exception.class.name', error.code),
    connect('exception.message', error.message),
    connect('exception.stacktrace', reasons(error)),
    { name: 'headgate-stage', value: place.stage },
  ]
  return { target, key: origin.sink.key(event), value: event.body.bytes, headers }
}

/** Where a record comes from; the first three are what the ledger knows it by when it is read back. */
function originHeaders(
  { name, revision }: Origin,
  { id, route, traceparent }: Event,
  digest: string,
): RecordHeader[] {
  const headers = [
    { name: ID_HEADER, value: id },
    { name: DIGEST_HEADER, value: digest },
    { name: PIPELINE_HEADER, value: name },
    { name: 'headgate-revision', value: revision },
  ]
  if (route !== undefined) headers.push({ name: 'headgate-route', value: route.name })
  if (traceparent !== undefined) headers.push({ name: 'traceparent', value: traceparent })
  return headers
}

const connect = (name: string, value: string): RecordHeader => ({ name: `__connect.errors.${name}`, value })

const reasons = ({ code, message, violations }: HeadgateError): string =>
  [`${code}: ${message}`, ...violations.map(({ pointer, message }) => `  at ${pointer}: ${message}`)].join(
    '\n',
  )
