import { createRequire } from 'node:module'
import rdkafka from 'node-rdkafka'
import { type ErrorCode, HeadgateError } from '../../../errors.js'
import type { Target } from '../../../plugin.js'

/** What a failed record calls for: look at the topics again, or give up the session. */
export type Remedy = 'check' | 'replace'

export interface Failure {
  readonly error: HeadgateError
  readonly remedy?: Remedy
}

interface Row {
  readonly code: ErrorCode
  readonly why: string
  readonly remedy?: Remedy
}

const E = rdkafka.CODES.ERRORS

const tooLarge = (why: string): Row => ({ code: 'HG_RECORD_TOO_LARGE', why })
const unavailable = (why: string, remedy?: Remedy): Row => ({
  code: 'HG_KAFKA_UNAVAILABLE',
  why,
  ...(remedy && { remedy }),
})
const unknown = (why: string): Row => ({ code: 'HG_KAFKA_NOT_DELIVERED', why })
const fatal = (why: string): Row => ({ code: 'HG_KAFKA_FATAL', why, remedy: 'replace' })

/**
 * Every error of librdkafka that can meet a record on its way, and what it means to us. What is not here, and could only
 * come from a newer broker, counts as not delivered, with librdkafka's own words.
 */
export const ROWS: readonly (readonly [number, Row])[] = [
  [
    E.ERR_MSG_SIZE_TOO_LARGE,
    tooLarge('message.max.bytes of the sink or max.message.bytes of the topic is smaller'),
  ],
  [E.ERR_RECORD_LIST_TOO_LARGE, tooLarge('segment.bytes of the topic is smaller')],
  [
    E.ERR_INVALID_RECORD,
    {
      code: 'HG_RECORD_REFUSED',
      why: 'the broker holds it invalid; a compacted topic takes none without a key',
    },
  ],

  [
    E.ERR__QUEUE_FULL,
    { code: 'HG_KAFKA_QUEUE_FULL', why: 'queue.buffering.max.messages or .kbytes is reached' },
  ],

  [E.ERR__UNKNOWN_TOPIC, unavailable('the topic does not exist', 'check')],
  [E.ERR__UNKNOWN_PARTITION, unavailable('the topic has no such partition', 'check')],
  [E.ERR_UNKNOWN_TOPIC_OR_PART, unavailable('the topic or its partition does not exist', 'check')],
  [E.ERR_UNKNOWN_TOPIC_ID, unavailable('the topic was deleted and created again', 'check')],
  [E.ERR_TOPIC_EXCEPTION, unavailable('the broker does not accept the name of the topic', 'check')],
  [E.ERR_TOPIC_AUTHORIZATION_FAILED, unavailable('our user may not write to the topic', 'check')],
  [
    E.ERR_CLUSTER_AUTHORIZATION_FAILED,
    unavailable('our user may not write idempotently to the cluster', 'check'),
  ],
  [E.ERR_SASL_AUTHENTICATION_FAILED, unavailable('the broker does not accept our credentials', 'check')],
  [E.ERR__AUTHENTICATION, unavailable('the broker does not accept our credentials', 'check')],
  [E.ERR__SSL, unavailable('TLS with the broker failed', 'check')],
  [E.ERR__RESOLVE, unavailable('the name of the broker cannot be resolved', 'check')],
  [E.ERR__ALL_BROKERS_DOWN, unavailable('no broker can be reached', 'check')],
  [E.ERR__STATE, unavailable('the session with Kafka has ended')],

  [E.ERR__FATAL, fatal('the session with Kafka broke')],
  [E.ERR__FENCED, fatal('a newer producer took the place of this one')],
  [E.ERR_PRODUCER_FENCED, fatal('a newer producer took the place of this one')],
  [E.ERR__PURGE_QUEUE, fatal('the session with Kafka broke before the record was sent')],
  [E.ERR__PURGE_INFLIGHT, fatal('the session with Kafka broke while the record was under way')],

  [E.ERR__MSG_TIMED_OUT, unknown('there was no confirmation within message.timeout.ms')],
  [E.ERR__TIMED_OUT, unknown('the broker did not answer in time')],
  [E.ERR__TIMED_OUT_QUEUE, unknown('the request waited too long to be sent')],
  [E.ERR_REQUEST_TIMED_OUT, unknown('the replicas did not confirm within request.timeout.ms')],
  [E.ERR__TRANSPORT, unknown('the connection to the broker broke')],
  [E.ERR__FAIL, unknown('the connection to the broker broke')],
  [E.ERR_NETWORK_EXCEPTION, unknown('the connection to the broker broke')],
  [E.ERR__DESTROY, unknown('the client was closed')],
  [E.ERR__DESTROY_BROKER, unknown('the broker left the cluster')],
  [E.ERR__BAD_MSG, unknown('the answer of the broker could not be read')],
  [E.ERR__BAD_COMPRESSION, unknown('the batch could not be compressed')],
  [E.ERR__CRIT_SYS_RESOURCE, unknown('this machine is out of memory, threads or file handles')],
  [E.ERR__INCONSISTENT, unknown('order could not be kept; the session starts over by itself')],
  [E.ERR__GAPLESS_GUARANTEE, unknown('an earlier record was lost')],
  [E.ERR__INVALID_DIFFERENT_RECORD, unknown('another record of its batch was refused')],
  [E.ERR__RETRY, unknown('the producer got a new id meanwhile')],
  [E.ERR__UNSUPPORTED_FEATURE, unknown('the broker is too old')],
  [E.ERR__INVALID_ARG, unknown('the client holds the record invalid')],
  [E.ERR_UNKNOWN, unknown('the broker failed; its log says why')],
  [E.ERR_INVALID_MSG, unknown('the batch arrived damaged')],
  [E.ERR_INVALID_MSG_SIZE, unknown('the broker holds the size of the batch invalid')],
  [E.ERR_LEADER_NOT_AVAILABLE, unknown('the partition has no leader')],
  [E.ERR_NOT_LEADER_FOR_PARTITION, unknown('the partition has moved to another leader')],
  [E.ERR_BROKER_NOT_AVAILABLE, unknown('the broker is not available')],
  [E.ERR_REPLICA_NOT_AVAILABLE, unknown('a replica is not available')],
  [E.ERR_FENCED_LEADER_EPOCH, unknown('the partition has moved to another leader')],
  [E.ERR_NOT_ENOUGH_REPLICAS, unknown('fewer replicas are in sync than min.insync.replicas asks for')],
  [
    E.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    unknown('fewer replicas are in sync than min.insync.replicas asks for, since just now'),
  ],
  [E.ERR_KAFKA_STORAGE_ERROR, unknown('the broker has trouble with its disk')],
  [E.ERR_INVALID_REQUIRED_ACKS, unknown('the broker does not accept acks=all')],
  [
    E.ERR_INVALID_TIMESTAMP,
    unknown('the clocks here and at the broker differ by more than the topic allows'),
  ],
  [E.ERR_UNSUPPORTED_VERSION, unknown('the broker does not know this kind of request')],
  [E.ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, unknown('the topic has a record format that is too old')],
  [E.ERR_UNSUPPORTED_COMPRESSION_TYPE, unknown('the topic does not accept this compression')],
  [E.ERR_INVALID_REQUEST, unknown('the broker holds the request invalid')],
  [E.ERR_POLICY_VIOLATION, unknown('a policy of the broker forbids it')],
  [E.ERR_THROTTLING_QUOTA_EXCEEDED, unknown('a quota of the broker is used up')],
  [E.ERR_SECURITY_DISABLED, unknown('the broker has no security features switched on')],
  [E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, unknown('the broker lost track of our sequence')],
  [E.ERR_DUPLICATE_SEQUENCE_NUMBER, unknown('the broker may have the record already')],
  [E.ERR_INVALID_PRODUCER_EPOCH, unknown('the broker knows a newer epoch of this producer')],
  [E.ERR_INVALID_PRODUCER_ID_MAPPING, unknown('the broker forgot this producer')],
  [E.ERR_UNKNOWN_PRODUCER_ID, unknown('the broker forgot this producer')],
  [E.ERR_INVALID_TXN_STATE, unknown('the broker expected a transaction')],
  [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, unknown('our user may not use this transactional id')],
]

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

/** Why a question to the cluster was not answered, for people. */
export function explain(error: unknown): string {
  const { code, message } = error as { code?: number; message: string }
  return (code === undefined ? undefined : BY_CODE.get(code)?.why) ?? message
}

/** Why `produce()` threw: the record was not taken. */
export function producingFailed(thrown: unknown, target: Target): Failure {
  const { code = E.ERR__STATE, message } = thrown as { code?: number; message: string }
  const row = BY_CODE.get(code) ?? unavailable(message)
  // Nothing of it was sent, so nothing about it is unknown.
  return failure(row.code === 'HG_KAFKA_NOT_DELIVERED' ? unavailable(row.why) : row, target, thrown)
}

/** What a delivery report says of a record that Kafka may or may not have. */
export function deliveryFailed(reported: { readonly message: string }, target: Target): Failure {
  return failure(BY_TEXT.get(reported.message) ?? unknown(reported.message), target, reported)
}

/** Why a record is given up that Kafka may or may not have. */
export const inDoubt = (
  code: 'HG_KAFKA_FATAL' | 'HG_KAFKA_NOT_DELIVERED',
  target: Target,
  why: string,
): HeadgateError => failure({ code, why }, target).error

function failure({ code, why, remedy }: Row, target: Target, cause?: unknown): Failure {
  const verb = code === 'HG_KAFKA_FATAL' || code === 'HG_KAFKA_NOT_DELIVERED' ? 'confirm' : 'take'
  const error = new HeadgateError(code, `Kafka did not ${verb} the record for ${describe(target)}: ${why}.`, {
    cause,
  })
  return { error, ...(remedy && { remedy }) }
}

const describe = ({ topic, partition }: Target): string =>
  partition === undefined ? `topic "${topic}"` : `partition ${partition} of topic "${topic}"`
