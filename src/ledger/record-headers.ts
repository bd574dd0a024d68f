import type { RecordHeader } from '../contract/index.js'

/** The names of the record headers that the engine writes and reads. */
export const HEADER = {
  id: 'headgate-event-id',
  /** The digest of the bytes as they were received. */
  digest: 'headgate-digest',
  /** The media type by which the bytes are decoded, if they were not JSON as they were received. */
  contentType: 'headgate-content-type',
  pipeline: 'headgate-pipeline',
  /** Proves that the pipeline wrote the record. */
  mac: 'headgate-mac',
  revision: 'headgate-revision',
  /** The rule that chose the target, or that made a dead letter of the event. */
  route: 'headgate-route',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  /** The parts of the request that the config reads, as JSON. */
  request: 'headgate-request',
  /** Of a dead letter: the address of the sender, if it is known. */
  remoteAddress: 'headgate-remote-address',
  /** Of a dead letter: the stage that rejected it, as `transform.0.json-schema`; of a failed acknowledgement its own. */
  stage: 'headgate-stage',
  /** Of a dead letter: a JSON array of `{"pointer", "message"}`. */
  violations: 'headgate-violations',
  /** Of a record that was a dead letter before: the position of the dead letter, as `topic-partition@offset`. */
  replayOf: 'headgate-replay-of',
  /** Of a replayed record: an operator had edited the bytes of the event. */
  edited: 'headgate-edited',
  /** Of a note in the dead-letter topic on a replay or a discard: the content of the note. */
  replay: 'headgate-replay',
  /** Of a failed acknowledgement in the dead-letter topic. */
  failedAck: 'headgate-failed-ack',
  /** Of a record of an inbox: the decided event, except for its bytes. */
  inbox: 'headgate-inbox',
} as const

/** The prefix that Kafka Connect gives the headers of its dead letters (KIP-298). */
export const CONNECT = '__connect.errors.'

/** Headers with these names, as Kafka Connect writes them. */
export const connectHeaders = (values: { readonly [name: string]: string }): RecordHeader[] =>
  Object.entries(values).map(([name, value]) => ({
    name: `${CONNECT}${name}`,
    // C clients cut a header at NUL, and a message that quotes an event can contain one.
    value: value.replaceAll('\0', '\\0'),
  }))
