import { createRequire } from 'node:module'
import rdkafka from 'node-rdkafka'
import { type ErrorCode, HeadgateError } from '../../../contract/errors.js'
import type { Target } from '../../../contract/index.js'
import { READING, type Remedy, ROWS, type Row } from './failure-table.js'

export interface Failure {
  readonly error: HeadgateError
  readonly remedy?: Remedy
  readonly refusedBatch?: Row['refusedBatch']
}

const { err2str } = createRequire(import.meta.url)('node-rdkafka/librdkafka.js') as {
  err2str(code: number): string
}

/** The text of an error as node-rdkafka passes it on: without "Local: " or "Broker: ", and in lower case. */
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

/** Why a request to the cluster failed, for people. */
export function explain(error: unknown): string {
  const { code, message } = error as { code?: number; message: string }
  return (code === undefined ? undefined : BY_CODE.get(code)?.why) ?? message
}

/** Why the log cannot be read, or positions cannot be committed. Returns errors of ours as they are. */
export function logFailed(error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error
  const { code } = error as { code?: number }
  // The table is the same for all builds; the missing codecs are not.
  const reason =
    code === UNKNOWN_CODEC ? unreadable() : code === undefined ? undefined : READING_BY_CODE.get(code)
  const why = reason ?? explain(error)
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
  const adapted =
    row.code === 'HG_KAFKA_NOT_DELIVERED' ? ({ ...row, code: 'HG_KAFKA_UNAVAILABLE' } as const) : row
  return failure({ ...adapted, certain: true }, target, thrown)
}

/** The failure in a delivery report. Unless the table is certain, Kafka may or may not have the record. */
export function deliveryFailed(reported: { readonly message: string }, target: Target): Failure {
  const row = BY_TEXT.get(reported.message) ?? { code: 'HG_KAFKA_NOT_DELIVERED', why: reported.message }
  return failure(row, target, reported)
}

/** The error for a record in doubt: Kafka may or may not have it. */
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

/** The codecs of records in Kafka, and the packages with which librdkafka is built with them. */
const CODECS: ReadonlyMap<string, string> = new Map([
  ['gzip', 'zlib1g-dev'],
  ['snappy', ''],
  ['lz4', ''],
  ['zstd', 'libzstd-dev'],
])

/** The codecs that a build of librdkafka lacks: it cannot read records that are compressed with them. */
export const missingCodecs = (features: readonly string[] = rdkafka.features): readonly string[] =>
  [...CODECS.keys()].filter((codec) => !features.includes(codec))

/** The remedy for missing codecs, in one sentence. */
export function codecRemedy(codecs: readonly string[]): string {
  const packages = codecs.flatMap((codec) => CODECS.get(codec) || [])
  const install = packages.length === 0 ? '' : `Install ${packages.join(' and ')} and run`
  return `${install || 'Run'} "npm rebuild node-rdkafka".`
}

/** The error for records whose codec librdkafka lacks. */
function unreadable(codecs: readonly string[] = missingCodecs()): string {
  if (codecs.length === 0)
    return 'records of the topic are compressed in a way that the Kafka client cannot read'
  const remedy = codecRemedy(codecs).replace(/\.$/, '')
  return `records of the topic are compressed, and the Kafka client of this installation was built without ${codecs.join(', ')}. ${remedy}`
}

/** An error of librdkafka, for the reference of errors. */
export interface ListedFailure {
  /** Its name in librdkafka, without `RD_KAFKA_RESP_`. */
  readonly name: string
  readonly number: number
  readonly why: string
}

/** One that can end a record. */
export interface RecordFailure extends ListedFailure {
  readonly code: ErrorCode
  /** True if Kafka certainly does not have the record. */
  readonly certain: boolean
  readonly remedy?: Remedy
}

const NAMES = Object.entries(rdkafka.CODES.ERRORS)

const listed = (number: number, why: string): ListedFailure => ({
  // Some have two names; the newer one is the first.
  name: NAMES.find(([, code]) => code === number)?.[0] ?? '',
  number,
  why,
})

/** Errors that a record can run into. */
export const recordFailures: readonly RecordFailure[] = ROWS.map(
  ([number, { code, why, certain = false, remedy }]) => ({
    ...listed(number, why),
    code,
    certain,
    ...(remedy && { remedy }),
  }),
)

/** Errors that mean something else while records are read or positions committed. */
export const readingFailures: readonly ListedFailure[] = READING.map(([number, why]) => listed(number, why))
