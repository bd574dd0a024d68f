/**
 * Bytes that a record or a dead letter can have besides the body of its event: key, headers and what Kafka adds to a batch.
 * The default `maxBody` of the source and this are together the default `max.message.bytes` of Kafka, 1,048,588.
 */
export const RECORD_OVERHEAD = 45_068
