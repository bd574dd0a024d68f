import type { Committed, LoggedRecord } from '../contract/index.js'
import { traceparentOf, tracestateOf } from '../http/request.js'
import { isDigest, type RecordMac } from '../pipeline/record-mac.js'
import { HEADER } from './record-headers.js'

/** A record of the log that names this pipeline and one of its events. */
export interface Claim extends Pick<Committed, 'id' | 'traceparent' | 'tracestate'> {
  readonly digest: string
  /**
   * This pipeline did write it. Otherwise another program wrote it, or the key is lost: then no acknowledgement is made for
   * it, and it only matches an event that would become this very record.
   */
  readonly proven: boolean
}

export interface ClaimOptions {
  readonly pipeline: string
  /** Of every key that the pipeline has or had. */
  readonly macs: readonly RecordMac[]
  onUnproven(record: LoggedRecord): void
}

/** The ids that the intake takes: longer ids, and those with control characters, are not ours. */
const ID = /^[^\p{Surrogate}\p{Cc}]{1,256}$/u

/** Undefined for a record that is not of an event of this pipeline. */
export function claimOf(
  record: LoggedRecord,
  { pipeline, macs, onUnproven }: ClaimOptions,
): Claim | undefined {
  const [id, digest] = [record.header(HEADER.id), record.header(HEADER.digest)]
  if (id === undefined || digest === undefined) return undefined
  if (record.header(HEADER.pipeline) !== pipeline) return undefined
  const [found, request] = [record.header(HEADER.mac), record.header(HEADER.request)]
  const isRight = (mac: RecordMac) => mac.of(record.topic, id, digest, request) === found
  const proven = isDigest(digest) && macs.some(isRight)
  if (!proven) onUnproven(record)
  if (!ID.test(id) || !isDigest(digest)) return undefined
  const traceparent = traceparentOf(record.header(HEADER.traceparent))
  if (traceparent === undefined) return { id, digest, proven }
  const tracestate = tracestateOf(record.header(HEADER.tracestate))
  return { id, digest, proven, traceparent, ...(tracestate !== undefined && { tracestate }) }
}

/** A replay of a dead letter: the dead letter itself is indexed and acknowledged. */
export const isReplay = (record: LoggedRecord): boolean => record.header(HEADER.replayOf) !== undefined
