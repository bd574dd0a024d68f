import { shapeChecker } from '../config/shape.js'
import type { Committed, LoggedRecord, SinkRecord, Target } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { connectHeaders, HEADER } from '../ledger/record-headers.js'
import type { FailureReason, StoredAck } from '../ledger/rows.js'
import { Type } from '../lib/json/pointer.js'
import type { RecordMac } from '../pipeline/record-mac.js'

/** The origin of a failed acknowledgement. */
export interface FailedAckOrigin {
  readonly pipeline: string
  readonly revision: string
  readonly mac: RecordMac
  readonly target: Target
  /** The post-commit stage, as `post-commit.0.cxone-ack`, and its plugin. */
  readonly stage: string
  readonly plugin: string
}

const Offset = Type.Integer({ minimum: 0 })
/** A position in the value of a record. */
export const PositionForm = Type.Object({ topic: Type.String(), partition: Offset, offset: Offset })
const checkValue = shapeChecker(
  Type.Object({
    id: Type.String({ minLength: 1 }),
    receipt: Type.Optional(PositionForm),
    traceparent: Type.Optional(Type.String()),
    tracestate: Type.Optional(Type.String()),
    attempts: Offset,
  }),
)

/**
 * The record of an acknowledgement that failed for good. It is in the topic for dead letters and not in a state directory,
 * because the next owner of the partition is another instance. Its value is what a post-commit stage needs. It has no header
 * with the id: it is not the record of an event, so nothing may take it for one.
 */
export function failedAckRecord(
  { pipeline, revision, mac, target, stage, plugin }: FailedAckOrigin,
  { committed, attempts }: Pick<StoredAck, 'committed' | 'attempts'>,
  { code, message }: FailureReason,
): SinkRecord {
  const { id, receipt } = committed
  const value = Buffer.from(JSON.stringify({ ...committed, attempts: attempts + 1 }))
  return {
    target,
    key: Buffer.from(id),
    value,
    headers: [
      { name: HEADER.failedAck, value: 'true' },
      { name: HEADER.pipeline, value: pipeline },
      { name: HEADER.mac, value: failedAckMac({ topic: target.topic, value }, id, mac) },
      { name: HEADER.revision, value: revision },
      { name: HEADER.stage, value: stage },
      ...connectHeaders({
        ...(receipt !== undefined && {
          topic: receipt.topic,
          partition: String(receipt.partition),
          offset: String(receipt.offset),
        }),
        'connector.name': pipeline,
        'task.id': '0',
        'class.name': plugin,
        'exception.class.name': code,
        'exception.message': message,
      }),
    ],
  }
}

/** Undefined if the record is no failed acknowledgement. */
export function failedAckOf(record: LoggedRecord): Committed | undefined {
  if (record.header(HEADER.failedAck) === undefined) return undefined
  const value = parse(record.value)
  if (checkValue(value).length > 0) return undefined
  const { attempts: _, ...committed } = value as Committed & { readonly attempts: number }
  return committed
}

/** Proves the value. No id of an event has a line end, so no event has this MAC. */
export const failedAckMac = (
  { topic, value }: Pick<LoggedRecord, 'topic' | 'value'>,
  id: string,
  mac: RecordMac,
): string => mac.of(topic, `${HEADER.failedAck}\n${id}`, digestOf(value))

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString())
  } catch {
    return undefined
  }
}
