import type { Violation } from '../contract/errors.js'
import type { Committed, LoggedRecord, Position } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { CONNECT, HEADER } from '../ledger/record-headers.js'
import { parseRequestText, type WrittenRequest } from '../pipeline/request-parts.js'
import { failedAckOf } from './failed-ack.js'

/** The headers of a dead letter; key and value stay in the log. */
export interface DeadLetter extends Position {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly id: string
  readonly digest: string
  /** The media type by which its bytes are decoded, if they are not JSON. */
  readonly contentType: string | undefined
  readonly pipeline: string
  readonly revision: string | undefined
  /** The stage that rejected the event, as `transform.0.json-schema`, and its plugin. */
  readonly stage: string
  readonly plugin: string
  readonly code: string
  readonly message: string
  /** The rule that decided, or that had chosen the target before. */
  readonly rule: string | undefined
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly violations: readonly Violation[]
  /** The parts of the request that the config read. */
  readonly request: WrittenRequest | undefined
  /** Present for a failed acknowledgement: the event that was to be acknowledged. Its stage is a post-commit stage. */
  readonly failedAck?: Committed
}

/** Undefined if a record is neither a dead letter of Headgate nor a failed acknowledgement. */
export function deadLetterOf(record: LoggedRecord): DeadLetter | undefined {
  const { topic, partition, offset, timestamp } = record
  const failedAck = failedAckOf(record)
  const id = failedAck?.id ?? record.header(HEADER.id)
  const digest = failedAck === undefined ? record.header(HEADER.digest) : digestOf(record.value)
  const pipeline = record.header(HEADER.pipeline)
  const code = record.header(`${CONNECT}exception.class.name`)
  if (id === undefined || digest === undefined || pipeline === undefined || code === undefined)
    return undefined
  return {
    topic,
    partition,
    offset,
    timestamp,
    id,
    digest,
    contentType: record.header(HEADER.contentType),
    pipeline,
    revision: record.header(HEADER.revision),
    stage: record.header(HEADER.stage) ?? '',
    plugin: record.header(`${CONNECT}class.name`) ?? '',
    code,
    message: record.header(`${CONNECT}exception.message`) ?? '',
    rule: record.header(HEADER.route),
    traceparent: failedAck?.traceparent ?? record.header(HEADER.traceparent),
    tracestate: failedAck?.tracestate ?? record.header(HEADER.tracestate),
    violations: violationsOf(record.header(HEADER.violations)),
    request: parseRequestText(record.header(HEADER.request)),
    ...(failedAck !== undefined && { failedAck }),
  }
}

/** The name of a dead letter in the header `headgate-replay-of`. */
export const nameOf = ({ topic, partition, offset }: Position): string => `${topic}-${partition}@${offset}`

/** A dead letter as an operator names it. */
export interface LetterRef {
  /** Undefined if only partition and offset were given. */
  readonly topic: string | undefined
  readonly partition: number
  readonly offset: number
}

const PARTITION_OFFSET = /^(?:([A-Za-z0-9._-]{1,249}):)?([0-9]{1,9}):([0-9]{1,15})$/
/** The form of the header `headgate-replay-of`. */
const NAME = /^([A-Za-z0-9._-]{1,249})-([0-9]{1,9})@([0-9]{1,15})$/

/** Reads `0:12`, `topic:0:12` or `topic-0@12`; undefined if the text is none of these. */
export function readLetterRef(text: string): LetterRef | undefined {
  const [, topic, partition, offset] = PARTITION_OFFSET.exec(text) ?? NAME.exec(text) ?? []
  return partition === undefined || offset === undefined
    ? undefined
    : { topic, partition: Number(partition), offset: Number(offset) }
}

export const formatLetterRef = ({ partition, offset }: Pick<DeadLetter, 'partition' | 'offset'>): string =>
  `${partition}:${offset}`

function violationsOf(header: string | undefined): readonly Violation[] {
  try {
    const found: unknown = header === undefined ? [] : JSON.parse(header)
    // If another program wrote the header, the message still has the reason.
    return Array.isArray(found) ? found.filter(isViolation) : []
  } catch {
    return []
  }
}

const isViolation = (found: unknown): found is Violation =>
  typeof found === 'object' &&
  found !== null &&
  'pointer' in found &&
  'message' in found &&
  typeof found.pointer === 'string' &&
  typeof found.message === 'string'
