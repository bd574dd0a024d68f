import { hash } from 'node:crypto'
import type { Committed, Log, LoggedRecord, Position, SinkRecord } from '../contract/index.js'
import { traceparentOf, tracestateOf } from '../http/request.js'
import { isDigest, type RecordMac, recordMac } from '../pipeline/record-mac.js'
import { identityOf } from './identity.js'
import { HEADER } from './record-headers.js'
import type { Known } from './rows.js'
import type { PipelineState } from './store.js'

/** A record in the log that says to be of an event of this pipeline. */
export interface Claim extends Pick<Committed, 'id' | 'traceparent' | 'tracestate'> {
  readonly digest: string
  /**
   * The pipeline did write it. Otherwise it is somebody else's, or its key is lost: then nothing is owed for it, and only an
   * event that would become this very record is recognised by it.
   */
  readonly proven: boolean
}

/** Decides how far records are believed that are found in the log. */
export interface Claims {
  /** From now on records are proven by this. */
  proveBy(mac: RecordMac): void
  /** Undefined for a record that is not of an event of this pipeline. */
  of(record: LoggedRecord): Claim | undefined
  rememberUnproven(record: LoggedRecord, claim: Claim): void
  /** Where an unproven record is that is the same as this one. */
  unprovenLike(record: SinkRecord): Known | undefined
  /** How many unproven ones were found since the start. */
  unproven(): number
}

interface Options {
  readonly pipeline: string
  readonly logger: Log
  /** Milliseconds. */
  window(): number
  state(): PipelineState
}

/** As the intake has it: longer ids, and those with control characters, are not ours. */
const ID = /^[^\p{Surrogate}\p{Cc}]{1,256}$/u
const LOG_EVERY = 60_000

export function createClaims({ pipeline, logger, window, state }: Options): Claims {
  let macs: readonly RecordMac[] = []
  let count = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  let unlogged = 0

  function tell({ topic, partition, offset }: Position): void {
    count++
    unlogged++
    if (performance.now() - loggedAt < LOG_EVERY) return
    logger.warn(
      { topic, partition, offset, records: unlogged },
      'records name this pipeline, and nothing proves that it wrote them: no acknowledgement is made for them',
    )
    loggedAt = performance.now()
    unlogged = 0
  }

  return {
    proveBy(mac) {
      const { proofs } = state()
      proofs.addKey(mac.key)
      macs = proofs.keys().map(recordMac).reverse()
    },
    of(record) {
      const [id, digest] = [record.header(HEADER.id), record.header(HEADER.digest)]
      if (id === undefined || digest === undefined || record.header(HEADER.pipeline) !== pipeline)
        return undefined
      const found = record.header(HEADER.mac)
      const proven = isDigest(digest) && macs.some((mac) => mac.of(record.topic, id, digest) === found)
      if (!proven) tell(record)
      if (!ID.test(id) || !isDigest(digest)) return undefined
      const traceparent = traceparentOf(record.header(HEADER.traceparent))
      if (traceparent === undefined) return { id, digest, proven }
      const tracestate = tracestateOf(record.header(HEADER.tracestate))
      return { id, digest, proven, traceparent, ...(tracestate !== undefined && { tracestate }) }
    },
    rememberUnproven({ topic, partition, offset, timestamp, key, value }, { id, digest }) {
      const identity = contentIdentity(topic, key, value, id, digest)
      if (state().recall(identity) !== undefined) return
      const at = state().keyOf({ topic, partition, offset })
      state().rememberUnproven(identity, { key: at, committedAt: state().clock.at(timestamp) })
    },
    unprovenLike(record) {
      const foundAt = state().proofs.unprovenAt()
      if (foundAt === undefined || state().clock.now() - foundAt > window()) return undefined
      const { target, key, value, headers } = record
      const header = (name: string) => headers.find((each) => each.name === name)?.value ?? ''
      const [id, digest] = [header(HEADER.id), header(HEADER.digest)]
      return state().recall(contentIdentity(target.topic, key, value, id, digest))
    },
    unproven: () => count,
  }
}

/** Of an event together with the record that it has become. */
function contentIdentity(
  topic: string,
  key: Buffer | null,
  value: Buffer,
  id: string,
  digest: string,
): string {
  const keyDigest = key === null ? 'none' : hash('sha256', key, 'hex')
  return identityOf(digest, `${hash('sha256', value, 'hex')}\n${keyDigest}\n${topic}\n${id}`)
}
