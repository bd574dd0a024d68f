import rdkafka from 'node-rdkafka'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import { READING, ROWS } from '../../../../src/plugins/sink/kafka/failure-table.js'
import {
  deliveryFailed,
  logFailed,
  producingFailed,
  reportText,
} from '../../../../src/plugins/sink/kafka/failures.js'

const { ERRORS } = rdkafka.CODES
const TARGET = { topic: 'orders', partition: 2 }

const reported = (message: string) => deliveryFailed({ message }, TARGET)
const thrown = (code: number) => producingFailed({ code, message: 'text' }, TARGET)

test.each([
  ['message size too large', 'HG_RECORD_TOO_LARGE', undefined],
  ['message batch larger than configured server segment size', 'HG_RECORD_TOO_LARGE', undefined],
  ['broker failed to validate record', 'HG_RECORD_REFUSED', undefined],
  ['unknown topic', 'HG_KAFKA_UNAVAILABLE', 'check'],
  ['unknown partition', 'HG_KAFKA_UNAVAILABLE', 'check'],
  ['unknown topic or partition', 'HG_KAFKA_UNAVAILABLE', 'check'],
  ['topic authorization failed', 'HG_KAFKA_UNAVAILABLE', 'check'],
  ['fatal error', 'HG_KAFKA_FATAL', 'replace'],
  ['purged in queue', 'HG_KAFKA_FATAL', 'replace'],
  ['message timed out', 'HG_KAFKA_NOT_DELIVERED', undefined],
  ['not enough in-sync replicas', 'HG_KAFKA_NOT_DELIVERED', undefined],
  [
    'an invalid record in the same batch caused the failure of this message too',
    'HG_KAFKA_UNAVAILABLE',
    undefined,
  ],
  ['something that a later broker says', 'HG_KAFKA_NOT_DELIVERED', undefined],
])('takes the report "%s" as %s', (message, code, remedy) => {
  const failure = reported(message)
  expect(failure.error.code).toBe(code)
  expect(failure.remedy).toBe(remedy)
})

test.each([
  'message timed out',
  'request timed out',
  'broker transport failure',
  'not enough in-sync replicas',
  'message(s) written to insufficient number of in-sync replicas',
  'purged in queue',
  'purged in flight',
  'fatal error',
  'authentication failure',
  'something that a later broker says',
])('holds a record uncertain of which it is reported "%s"', (message) => {
  expect(reported(message).error.uncertain).toBe(true)
})

test.each([
  'message size too large',
  'message batch larger than configured server segment size',
  'broker failed to validate record',
  'an invalid record in the same batch caused the failure of this message too',
  'topic authorization failed',
  'unknown topic or partition',
  'unknown topic',
  'unknown partition',
])('is certain that Kafka has no record of which it is reported "%s"', (message) => {
  expect(reported(message).error.uncertain).toBe(false)
})

test('never calls a record certain whose code says that it is unknown', () => {
  const unknown = ROWS.filter(
    ([, { code }]) => code === 'HG_KAFKA_NOT_DELIVERED' || code === 'HG_KAFKA_FATAL',
  )
  expect(unknown.length).toBeGreaterThan(20)
  for (const [code] of unknown) expect(reported(reportText(code)).error.uncertain).toBe(true)
})

test('counts only faults of the record as bad data', () => {
  const data = ROWS.filter(([code]) => reported(reportText(code)).error.kind === 'data').map(([code]) => code)
  expect(data).toEqual([
    ERRORS.ERR_MSG_SIZE_TOO_LARGE,
    ERRORS.ERR_RECORD_LIST_TOO_LARGE,
    ERRORS.ERR_INVALID_RECORD,
  ])
})

test('can tell every error of the table by its text', () => {
  expect(new Set(ROWS.map(([code]) => code)).size).toBe(ROWS.length)
  expect(new Set(ROWS.map(([code]) => reportText(code))).size).toBe(ROWS.length)
})

test.each([
  [ERRORS.ERR__QUEUE_FULL, 'HG_KAFKA_QUEUE_FULL', undefined],
  [ERRORS.ERR_MSG_SIZE_TOO_LARGE, 'HG_RECORD_TOO_LARGE', undefined],
  [ERRORS.ERR__UNKNOWN_TOPIC, 'HG_KAFKA_UNAVAILABLE', 'check'],
  [ERRORS.ERR__UNKNOWN_PARTITION, 'HG_KAFKA_UNAVAILABLE', 'check'],
  [ERRORS.ERR__FATAL, 'HG_KAFKA_FATAL', 'replace'],
  [-12345, 'HG_KAFKA_UNAVAILABLE', undefined],
])('takes error %i of produce() as %s', (number, code, remedy) => {
  const failure = thrown(number)
  expect(failure.error.code).toBe(code)
  expect(failure.remedy).toBe(remedy)
})

test('knows that a record which produce() did not take is not in doubt', () => {
  for (const [code] of ROWS) {
    const { error } = thrown(code)
    expect(error.code).not.toBe('HG_KAFKA_NOT_DELIVERED')
    expect(error.uncertain).toBe(false)
  }
})

test('says which record, and why, in one sentence', () => {
  expect(reported('not enough in-sync replicas').error.message).toBe(
    'Kafka did not confirm the record for partition 2 of topic "orders": fewer replicas are in sync than min.insync.replicas asks for.',
  )
})

test('explains the errors of reading the log', () => {
  expect(new Set(READING.map(([code]) => code)).size).toBe(READING.length)
  const failed = (code: number) => logFailed({ code, message: 'text' })
  expect(failed(ERRORS.ERR_TOPIC_AUTHORIZATION_FAILED)).toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: 'Cannot read records from Kafka or commit offsets: our user may not read the topic.',
  })
  expect(failed(ERRORS.ERR__TIMED_OUT).message).toContain('the broker did not answer in time')
  expect(failed(-12345).message).toContain('text')
  const explained = new HeadgateError('HG_KAFKA_TOPIC_MISSING', 'no topic')
  expect(logFailed(explained)).toBe(explained)
})
