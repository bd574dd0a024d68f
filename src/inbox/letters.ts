import type { HeadgateError } from '../contract/errors.js'
import type { LoggedRecord, SinkRecord, Target } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { connectHeaders, HEADER } from '../ledger/record-headers.js'
import { placeOf } from './item.js'

/** The origin of the letters of an inbox. */
export interface LetterOrigin {
  readonly pipeline: string
  readonly revision: string
  readonly plugin: string
  /** The stage that cannot read a record. */
  readonly stage: string
  readonly target: Target
}

/**
 * The dead letter of a record of the inbox, or of a topic of the source, that cannot be read: its bytes as they are, named by its place,
 * because it has no id. No sender waits for its acknowledgement.
 */
export function unreadableLetter(
  { pipeline, revision, plugin, stage, target }: LetterOrigin,
  record: LoggedRecord,
  { code, message }: HeadgateError,
): SinkRecord {
  const { topic, partition, offset, key, value } = record
  const headers = [
    { name: HEADER.id, value: placeOf(record) },
    { name: HEADER.digest, value: digestOf(value) },
    { name: HEADER.pipeline, value: pipeline },
    { name: HEADER.revision, value: revision },
    { name: HEADER.stage, value: stage },
    ...connectHeaders({
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
