import { hash } from 'node:crypto'
import type { Log, LoggedRecord, Position, SinkRecord } from '../contract/index.js'
import { type RecordMac, recordMac } from '../pipeline/record-mac.js'
import { type Claim, claimOf } from './claim.js'
import type { IndexedEvent } from './dedup-generation.js'
import { identityOf } from './identity.js'
import { HEADER } from './record-headers.js'
import type { LedgerStore } from './store.js'

interface ClaimsOptions {
  readonly pipeline: string
  readonly logger: Log
  /** Milliseconds. */
  window(): number
  store(): LedgerStore
}

const LOG_EVERY = 60_000

/** Checks the claims of records in the log to be of this pipeline. */
export class Claims {
  readonly #options: ClaimsOptions
  /** The newest key first. */
  #macs: readonly RecordMac[] = []
  #unproven = 0
  #unlogged = 0
  #loggedAt = Number.NEGATIVE_INFINITY

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  /** The number of unproven records since the start. */
  get unproven(): number {
    return this.#unproven
  }

  /** Records that are written from now on have this MAC. */
  addKey(mac: RecordMac): void {
    const { proofs } = this.#options.store()
    proofs.addKey(mac.key)
    this.#macs = proofs.keys.map(recordMac).reverse()
  }

  /** Undefined for a record that is not of an event of this pipeline. */
  claimOf(record: LoggedRecord): Claim | undefined {
    return claimOf(record, {
      pipeline: this.#options.pipeline,
      macs: this.#macs,
      onUnproven: this.#countUnproven,
    })
  }

  indexUnproven(
    { topic, partition, offset, timestamp, key, value }: LoggedRecord,
    { id, digest }: Claim,
  ): void {
    const store = this.#options.store()
    const identity = contentIdentity(topic, key, value, id, digest)
    if (store.lookup(identity) !== undefined) return
    const at = store.keyOf({ topic, partition, offset })
    store.insertUnproven(identity, { key: at, committedAt: store.clock.at(timestamp) })
  }

  /** An unproven record of the log with the content of this one. */
  findUnproven(record: SinkRecord): IndexedEvent | undefined {
    const { store, window } = this.#options
    const foundAt = store().proofs.unprovenAt
    if (foundAt === undefined || store().clock.now() - foundAt > window()) return undefined
    const { target, key, value, headers } = record
    const header = (name: string) => headers.find((each) => each.name === name)?.value ?? ''
    const [id, digest] = [header(HEADER.id), header(HEADER.digest)]
    return store().lookup(contentIdentity(target.topic, key, value, id, digest))
  }

  readonly #countUnproven = ({ topic, partition, offset }: Position): void => {
    this.#unproven++
    this.#unlogged++
    if (performance.now() - this.#loggedAt < LOG_EVERY) return
    this.#options.logger.warn(
      { topic, partition, offset, records: this.#unlogged },
      'records name this pipeline, and nothing proves that it wrote them: no acknowledgement is made for them',
    )
    this.#loggedAt = performance.now()
    this.#unlogged = 0
  }
}

/** The identity of an event together with the record that it has become. */
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
