import type { SinkRecord } from '../../../contract/index.js'

/**
 * Bytes that a record or a dead letter can have besides the body of its event: key, headers and what Kafka adds to a batch.
 * The default `maxBody` of the source and this are together the default `max.message.bytes` of Kafka, 1,048,588.
 */
export const RECORD_OVERHEAD = 45_068

/** What a record adds to its batch, at most, beside its bytes: lengths, offset and time; and each of its headers. */
const RECORD_FRAME = 32
const HEADER_FRAME = 10

/** Bytes of a record in a batch that is not compressed; a little more than there are. */
export function recordBytes({ key, value, headers }: SinkRecord): number {
  let bytes = RECORD_FRAME + value.length + (key?.length ?? 0)
  for (const { name, value } of headers) bytes += HEADER_FRAME + name.length + Buffer.byteLength(value)
  return bytes
}
