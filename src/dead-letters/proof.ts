import type { LoggedRecord } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { HEADER } from '../ledger/record-headers.js'
import type { RecordMac } from '../pipeline/record-mac.js'
import { failedAckMac, failedAckOf } from './failed-ack.js'

/**
 * Whether the pipeline with this key wrote a dead letter: anybody with write access to the topic can write one. The MAC proves
 * topic, id, digest and request, and the digest the bytes of the event; the reason in the headers is not proven.
 */
export function isProven(record: LoggedRecord, mac: RecordMac): boolean {
  const failedAck = failedAckOf(record)
  if (failedAck !== undefined) return record.header(HEADER.mac) === failedAckMac(record, failedAck.id, mac)
  const [id, digest] = [record.header(HEADER.id), record.header(HEADER.digest)]
  return (
    id !== undefined &&
    digest === digestOf(record.value) &&
    record.header(HEADER.mac) === mac.of(record.topic, id, digest, record.header(HEADER.request))
  )
}

/** The header of a note that proves kind, position and content. No id of an event has a line end, so no event has this MAC. */
export function noteMac(
  { topic, partition, key, value }: Pick<LoggedRecord, 'topic' | 'partition' | 'key' | 'value'>,
  kind: string,
  mac: RecordMac,
): string {
  return mac.of(topic, `${kind}\n${partition}\n${key?.toString()}`, digestOf(value))
}
