import { createRequire } from 'node:module'
import rdkafka from 'node-rdkafka'
import { HeadgateError } from '../../../contract/errors.js'
import type { Target } from '../../../contract/index.js'
import { unreadable } from './codecs.js'
import { READING, type Remedy, ROWS, type Row } from './failure-table.js'

export interface Failure {
  readonly error: HeadgateError
  readonly remedy?: Remedy
  readonly refusedBatch?: Row['refusedBatch']
}

const { err2str } = createRequire(import.meta.url)('node-rdkafka/librdkafka.js') as {
  err2str(code: number): string
}

/** The text of an error as node-rdkafka hands it on: without "Local: " or "Broker: ", and in lower case. */
export function reportText(code: number): string {
  const [origin, text] = err2str(code).split(': ')
  return (text ?? origin ?? '').toLowerCase()
}

const BY_CODE = new Map(ROWS)
// The error of a delivery report has no code, only a text (node-rdkafka, src/callbacks.cc).
const BY_TEXT = new Map(ROWS.map(([code, row]) => [reportText(code), row]))
const UNKNOWN_CODEC = rdkafka.CODES.ERRORS.ERR__NOT_IMPLEMENTED
const READING_BY_CODE = new Map(READING)

const { ERRORS } = rdkafka.CODES
/** The coordinator of a group comes and goes with its broker. Commits of librdkafka wait for it by themselves. */
export const NO_COORDINATOR: ReadonlySet<unknown> = new Set([
  ERRORS.ERR_NOT_COORDINATOR,
  ERRORS.ERR_COORDINATOR_NOT_AVAILABLE,
  ERRORS.ERR_COORDINATOR_LOAD_IN_PROGRESS,
])

/** Why a question to the cluster was not answered, for people. */
export function explain(error: unknown): string {
  const { code, message } = error as { code?: number; message: string }
  return (code === undefined ? undefined : BY_CODE.get(code)?.why) ?? message
}

/** Why the log cannot be read, or positions cannot be committed. Hands on what is explained already. */
export function logFailed(error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error
  const { code } = error as { code?: number }
  // The table is the same for all builds; which codec is missing is not.
  const known =
    code === UNKNOWN_CODEC ? unreadable() : code === undefined ? undefined : READING_BY_CODE.get(code)
  const why = known ?? explain(error)
  return logUnavailable(why, error)
}

export const logUnavailable = (why: string, cause?: unknown): HeadgateError =>
  new HeadgateError('HG_KAFKA_UNAVAILABLE', `Cannot read records from Kafka or commit offsets: ${why}.`, {
    cause,
  })

/** Why `produce()` threw: the record was not taken, so nothing about it is uncertain. */
export function producingFailed(thrown: unknown, target: Target): Failure {
  const { code = rdkafka.CODES.ERRORS.ERR__STATE, message } = thrown as { code?: number; message: string }
  const row = BY_CODE.get(code) ?? { code: 'HG_KAFKA_UNAVAILABLE', why: message }
  const taken =
    row.code === 'HG_KAFKA_NOT_DELIVERED' ? ({ ...row, code: 'HG_KAFKA_UNAVAILABLE' } as const) : row
  return failure({ ...taken, certain: true }, target, thrown)
}

/** What a delivery report says of a record that Kafka, where the table is not certain, may or may not have. */
export function deliveryFailed(reported: { readonly message: string }, target: Target): Failure {
  const row = BY_TEXT.get(reported.message) ?? { code: 'HG_KAFKA_NOT_DELIVERED', why: reported.message }
  return failure(row, target, reported)
}

/** Why a record is given up that Kafka may or may not have. */
export const inDoubt = (
  code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED',
  target: Target,
  why: string,
): HeadgateError => failure({ code, why }, target).error

function failure(
  { code, why, remedy, certain, refusedBatch }: Row,
  target: Target,
  cause?: unknown,
): Failure {
  const verb = certain ? 'take' : 'confirm'
  const error = new HeadgateError(code, `Kafka did not ${verb} the record for ${describe(target)}: ${why}.`, {
    uncertain: certain !== true,
    cause,
  })
  return { error, ...(remedy && { remedy }), ...(refusedBatch && { refusedBatch }) }
}

const describe = ({ topic, partition }: Target): string =>
  partition === undefined ? `topic "${topic}"` : `partition ${partition} of topic "${topic}"`
