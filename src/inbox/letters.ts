import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, SinkRecord, Target } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { CONNECT, HEADER } from '../ledger/record-headers.js'
import type { FailureReason, StoredAck } from '../ledger/rows.js'
import { INBOX_STAGE } from './item.js'

/** The origin of the letters of an inbox. */
export interface LetterOrigin {
  readonly pipeline: string
  readonly revision: string
  /** The plugin of the sink. */
  readonly plugin: string
  readonly target: Target
}

/**
 * The dead letter of a record of the inbox that cannot be read: its bytes as they are, named by its place, because it has no
 * id. No sender waits for its acknowledgement.
 */
export function unreadableLetter(
  { pipeline, revision, plugin, target }: LetterOrigin,
  { topic, partition, offset, key, value }: LoggedRecord,
  { code, message }: HeadgateError,
): SinkRecord {
  const headers = [
    { name: HEADER.id, value: `${topic}-${partition}@${offset}` },
    { name: HEADER.digest, value: digestOf(value) },
    { name: HEADER.pipeline, value: pipeline },
    { name: HEADER.revision, value: revision },
    { name: HEADER.stage, value: INBOX_STAGE },
    ...connect({
      topic,
      partition: String(partition),
      offset: String(offset),
      'connector.name': pipeline,
      'task.id': '0',
      stage: 'VALUE_CONVERTER',
      'class.name': plugin,
      'exception.class.name': code,
      'exception.message': message,
    }),
  ]
  return { target, key, value, headers }
}

/**
 * The record of an acknowledgement that failed for good. It stands in the topic for dead letters and not in a state directory,
 * because the next owner of the partition is another instance. Its value is what a post-commit stage needs.
 */
export function failedAckRecord(
  { pipeline, revision, target }: LetterOrigin,
  { committed, stage, attempts }: StoredAck,
  stageName: string,
  { code, message }: FailureReason,
): SinkRecord {
  return {
    target,
    key: Buffer.from(committed.id),
    value: Buffer.from(JSON.stringify({ ...committed, stage, attempts: attempts + 1 })),
    headers: [
      { name: HEADER.failedAck, value: stageName },
      { name: HEADER.pipeline, value: pipeline },
      { name: HEADER.revision, value: revision },
      ...connect({ 'exception.class.name': code, 'exception.message': message }),
    ],
  }
}

// C clients cut a header at NUL, and a message that quotes an event can contain one.
const connect = (headers: { readonly [name: string]: string }) =>
  Object.entries(headers).map(([name, value]) => ({
    name: `${CONNECT}${name}`,
    value: value.replaceAll('\0', '\\0'),
  }))
