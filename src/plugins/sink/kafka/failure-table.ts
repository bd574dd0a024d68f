import rdkafka from 'node-rdkafka'
import type { ErrorCode } from '../../../contract/errors.js'

/** The remedy for a failed record: check the topics again, or replace the session. */
export type Remedy = 'check' | 'replace'

/** The meaning of an error of librdkafka for a record. */
export interface Row {
  readonly code: ErrorCode
  readonly why: string
  readonly remedy?: Remedy
  /**
   * The broker refused the batch that the record was in, for its size, for some record in it, or for another record in it.
   * The record itself may be fine.
   */
  readonly refusedBatch?: 'size' | 'some-record' | 'other-record'
  /** This delivery report proves that Kafka does not have the record and will not get it. */
  readonly certain?: true
}

const E = rdkafka.CODES.ERRORS

const tooLarge = (why: string): Row => ({
  code: 'HG_RECORD_TOO_LARGE',
  why,
  certain: true,
  refusedBatch: 'size',
})
const unavailable = (why: string, remedy?: Remedy): Row => ({
  code: 'HG_KAFKA_UNAVAILABLE',
  why,
  ...(remedy && { remedy }),
})
/** The broker refuses before it appends, and would have refused an earlier attempt for the same reason. */
const refused = (why: string, remedy?: Remedy): Row => ({ ...unavailable(why, remedy), certain: true })
const unknown = (why: string): Row => ({ code: 'HG_KAFKA_NOT_DELIVERED', why })
const fatal = (why: string): Row => ({ code: 'HG_KAFKA_FATAL', why, remedy: 'replace' })

/**
 * Every error of librdkafka that a record can run into, and its meaning for us. An unlisted error, which only a newer
 * broker could send, counts as not delivered, with the text of librdkafka.
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
      why: 'the broker rejects it as invalid; a compacted topic accepts no record without a key',
      certain: true,
      // Kafka 4.1 says so of all records of the batch.
      refusedBatch: 'some-record',
    },
  ],

  [
    E.ERR__QUEUE_FULL,
    {
      code: 'HG_KAFKA_QUEUE_FULL',
      why: 'queue.buffering.max.messages or .kbytes is reached',
      certain: true,
    },
  ],

  // If the topic is deleted, so is any earlier copy of the record.
  [E.ERR__UNKNOWN_TOPIC, refused('the topic does not exist', 'check')],
  [E.ERR__UNKNOWN_PARTITION, refused('the topic has no such partition', 'check')],
  [E.ERR_UNKNOWN_TOPIC_OR_PART, refused('the topic or its partition does not exist', 'check')],
  [E.ERR_UNKNOWN_TOPIC_ID, refused('the topic was deleted and created again', 'check')],
  [E.ERR_TOPIC_EXCEPTION, refused('the broker does not accept the name of the topic', 'check')],
  [E.ERR_TOPIC_AUTHORIZATION_FAILED, refused('our user may not write to the topic', 'check')],
  [
    E.ERR_CLUSTER_AUTHORIZATION_FAILED,
    refused('our user may not write idempotently to the cluster', 'check'),
  ],
  [
    E.ERR__INVALID_DIFFERENT_RECORD,
    { ...refused('another record of its batch was refused'), refusedBatch: 'other-record' },
  ],
  [E.ERR_INVALID_MSG_SIZE, refused('the broker holds the size of the batch invalid')],
  [E.ERR_INVALID_REQUIRED_ACKS, refused('the broker does not accept acks=all')],
  [
    E.ERR_INVALID_TIMESTAMP,
    refused('the clocks here and at the broker differ by more than the topic allows'),
  ],
  [E.ERR_UNSUPPORTED_VERSION, refused('the broker does not know this kind of request')],
  [E.ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, refused('the topic has a record format that is too old')],
  [E.ERR_UNSUPPORTED_COMPRESSION_TYPE, refused('the topic does not accept this compression')],
  [E.ERR_POLICY_VIOLATION, refused('a policy of the broker forbids it')],
  [E.ERR_SECURITY_DISABLED, refused('the broker has no security features switched on')],

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
  [E.ERR__BAD_MSG, unknown('the response of the broker could not be read')],
  [E.ERR__BAD_COMPRESSION, unknown('the batch could not be compressed')],
  [E.ERR__CRIT_SYS_RESOURCE, unknown('this machine is out of memory, threads or file handles')],
  [E.ERR__INCONSISTENT, unknown('order could not be kept; the session starts over by itself')],
  [E.ERR__GAPLESS_GUARANTEE, unknown('an earlier record was lost')],
  [E.ERR__RETRY, unknown('the producer got a new id meanwhile')],
  [E.ERR__UNSUPPORTED_FEATURE, unknown('the broker is too old')],
  [E.ERR__INVALID_ARG, unknown('the client holds the record invalid')],
  [E.ERR_UNKNOWN, unknown('the broker failed; its log says why')],
  [E.ERR_INVALID_MSG, unknown('the batch arrived damaged')],
  [E.ERR_INVALID_REQUEST, unknown('the broker holds the request invalid')],
  [E.ERR_LEADER_NOT_AVAILABLE, unknown('the partition has no leader')],
  [E.ERR_NOT_LEADER_FOR_PARTITION, unknown('the partition has moved to another leader')],
  [E.ERR_BROKER_NOT_AVAILABLE, unknown('the broker is not available')],
  [E.ERR_REPLICA_NOT_AVAILABLE, unknown('a replica is not available')],
  [E.ERR_FENCED_LEADER_EPOCH, unknown('the partition has moved to another leader')],
  [E.ERR_UNKNOWN_LEADER_EPOCH, unknown('the partition has moved to another leader')],
  // librdkafka retries these, so an earlier attempt may have been appended.
  [E.ERR_NOT_ENOUGH_REPLICAS, unknown('fewer replicas are in sync than min.insync.replicas asks for')],
  [
    E.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    unknown('fewer replicas are in sync than min.insync.replicas asks for, since just now'),
  ],
  [E.ERR_KAFKA_STORAGE_ERROR, unknown('the broker has trouble with its disk')],
  [E.ERR_THROTTLING_QUOTA_EXCEEDED, unknown('a quota of the broker is used up')],
  [E.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, unknown('the broker lost track of our sequence')],
  [E.ERR_DUPLICATE_SEQUENCE_NUMBER, unknown('the broker may have the record already')],
  [E.ERR_INVALID_PRODUCER_EPOCH, unknown('the broker knows a newer epoch of this producer')],
  [E.ERR_INVALID_PRODUCER_ID_MAPPING, unknown('the broker forgot this producer')],
  [E.ERR_UNKNOWN_PRODUCER_ID, unknown('the broker forgot this producer')],
  [E.ERR_INVALID_TXN_STATE, unknown('the broker expected a transaction')],
  [E.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, unknown('our user may not use this transactional id')],
]

/** Errors that occur only while records are read or positions committed, or have another meaning there. */
export const READING: readonly (readonly [number, string])[] = [
  [E.ERR_TOPIC_AUTHORIZATION_FAILED, 'our user may not read the topic'],
  [E.ERR_GROUP_AUTHORIZATION_FAILED, 'our user may not use the consumer group'],
  [E.ERR_CLUSTER_AUTHORIZATION_FAILED, 'our user may not ask the cluster for that'],
  [E.ERR__BAD_MSG, 'records of the topic are damaged'],
  [
    E.ERR__NOT_IMPLEMENTED,
    'records of the topic are compressed with a codec that this build of the client lacks',
  ],
  [E.ERR__BAD_COMPRESSION, 'records of the topic are damaged, or compressed in a way this build cannot read'],
  [E.ERR_INVALID_MSG, 'records of the topic are damaged'],
  [E.ERR__AUTO_OFFSET_RESET, 'records were deleted while they were being read'],
  [E.ERR_OFFSET_OUT_OF_RANGE, 'records were deleted while they were being read'],
  [E.ERR__LOG_TRUNCATION, 'the partition lost records at its end'],
  [E.ERR_OFFSET_NOT_AVAILABLE, 'the partition has just moved to another leader'],
  [E.ERR_FETCH_SESSION_ID_NOT_FOUND, 'the broker was restarted'],
  [E.ERR__WAIT_COORD, 'the coordinator of the consumer group did not answer in time'],
  [E.ERR_COORDINATOR_NOT_AVAILABLE, 'the coordinator of the consumer group is not available'],
  [E.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'the coordinator of the consumer group is just starting'],
  [E.ERR_NOT_COORDINATOR, 'the coordinator of the consumer group has just changed'],
  [E.ERR_UNSTABLE_OFFSET_COMMIT, 'the coordinator of the consumer group has an open transaction'],
  [E.ERR_INVALID_GROUP_ID, 'the broker does not accept the name of the consumer group'],
  [E.ERR_GROUP_ID_NOT_FOUND, 'the consumer group was deleted meanwhile'],
  [E.ERR_OFFSET_METADATA_TOO_LARGE, 'the coordinator of the consumer group holds the commit too large'],
  [E.ERR_INVALID_COMMIT_OFFSET_SIZE, 'the coordinator of the consumer group holds the commit too large'],
  // A group that somebody has joined takes commits of its members only.
  [E.ERR_UNKNOWN_MEMBER_ID, 'other consumers have joined our consumer group'],
  [E.ERR_ILLEGAL_GENERATION, 'other consumers have joined our consumer group'],
  [E.ERR_REBALANCE_IN_PROGRESS, 'other consumers have joined our consumer group'],
  [E.ERR_STALE_MEMBER_EPOCH, 'other consumers have joined our consumer group'],
  [E.ERR_FENCED_INSTANCE_ID, 'other consumers have joined our consumer group'],
]
