/** The names of the record headers that the engine writes, and reads back. */
export const HEADER = {
  id: 'headgate-event-id',
  /** Of the bytes as they were received. */
  digest: 'headgate-digest',
  pipeline: 'headgate-pipeline',
  /** Proves that the pipeline wrote the record. */
  mac: 'headgate-mac',
  revision: 'headgate-revision',
  /** The rule that chose the target, or that made a dead letter of the event. */
  route: 'headgate-route',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  /** Of a dead letter: the stage that turned it away, as `transform.0.json-schema`. */
  stage: 'headgate-stage',
  /** Of a dead letter: a JSON array of `{"pointer", "message"}`. */
  violations: 'headgate-violations',
  /** Of a record that was a dead letter before: the place of that, as `topic-partition@offset`. */
  replayOf: 'headgate-replay-of',
  /** Of a replayed record: an operator has changed the bytes of the event before. */
  edited: 'headgate-edited',
  /** Of a note in the dead-letter topic on a replay or a discard: what the note says. */
  replay: 'headgate-replay',
} as const

/** What Kafka Connect puts before the names of the headers of its dead letters (KIP-298). */
export const CONNECT = '__connect.errors.'
