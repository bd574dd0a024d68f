import rdkafka from 'node-rdkafka'
import { expect, test } from 'vitest'
import {
  deliveryFailed,
  producingFailed,
  ROWS,
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
    'HG_KAFKA_NOT_DELIVERED',
    undefined,
  ],
  ['something that a later broker says', 'HG_KAFKA_NOT_DELIVERED', undefined],
])('takes the report "%s" as %s', (message, code, remedy) => {
  const failure = reported(message)
  expect(failure.error.code).toBe(code)
  expect(failure.remedy).toBe(remedy)
})

test('counts only what is the fault of the record as bad data', () => {
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
  for (const [code] of ROWS) expect(thrown(code).error.code).not.toBe('HG_KAFKA_NOT_DELIVERED')
})

test('says which record, and why, in one sentence', () => {
  expect(reported('not enough in-sync replicas').error.message).toBe(
    'Kafka did not confirm the record for partition 2 of topic "orders": fewer replicas are in sync than min.insync.replicas asks for.',
  )
})
