import rdkafka from 'node-rdkafka'
import type { ErrorCode } from '../../../contract/errors.js'
import { READING, type Remedy, ROWS } from './failure-table.js'

/** An error of librdkafka, for the reference of errors. */
export interface ListedFailure {
  /** As librdkafka names it, without `RD_KAFKA_RESP_`. */
  readonly name: string
  readonly number: number
  readonly why: string
}

/** One that can end a record. */
export interface RecordFailure extends ListedFailure {
  readonly code: ErrorCode
  /** True where Kafka certainly does not have the record. */
  readonly certain: boolean
  readonly remedy?: Remedy
}

const NAMES = Object.entries(rdkafka.CODES.ERRORS)

const listed = (number: number, why: string): ListedFailure => ({
  // Some have two names; the newer one is the first.
  name: NAMES.find(([, known]) => known === number)?.[0] ?? '',
  number,
  why,
})

/** What can happen to a record on its way, and what it means to us. */
export const recordFailures: readonly RecordFailure[] = ROWS.map(
  ([number, { code, why, certain = false, remedy }]) => ({
    ...listed(number, why),
    code,
    certain,
    ...(remedy && { remedy }),
  }),
)

/** What can happen while records are read back or positions committed, and means something else there. */
export const readingFailures: readonly ListedFailure[] = READING.map(([number, why]) => listed(number, why))
