import { asHeadgateError, type ErrorCode, HeadgateError } from '../contract/errors.js'
import {
  type Event,
  type LoggedRecord,
  type Outcome,
  type Position,
  type Receipt,
  receivedBytes,
  type SinkRecord,
} from '../contract/index.js'
import type { Backlog } from './backlog.js'
import type { RecordUse } from './catch-up.js'
import { isReplay } from './claim.js'
import type { Claims } from './claims.js'
import type { IndexedEvent } from './dedup-generation.js'
import { digestOf, type IdReuseCounter, identityOf } from './identity.js'
import type { LedgerTerms } from './ledger.js'
import type { LogWatch } from './log-watch.js'
import type { Recovery } from './recovery.js'
import type { ReportedOffsets } from './reported-offsets.js'
import { type AckKey, committedOf } from './rows.js'
import type { LedgerStore } from './store.js'

interface DeduplicatorOptions {
  readonly store: LedgerStore
  readonly backlog: Backlog
  readonly reported: ReportedOffsets
  readonly recovery: Recovery
  readonly watch: LogWatch
  readonly claims: Claims
  readonly idReuse: IdReuseCounter
  terms(): LedgerTerms
  /** The state has changed and has to be written. */
  onChanged(): void
  /** Kafka has written a record below earlier ones: the log of its partition was replaced. */
  onReplaced(receipt: Receipt): void
}

/** The way of an event through the ledger: each is delivered once, and its outcome becomes part of the state. */
export class Deduplicator {
  readonly #store: LedgerStore
  readonly #backlog: Backlog
  readonly #reported: ReportedOffsets
  readonly #recovery: Recovery
  readonly #watch: LogWatch
  readonly #claims: Claims
  readonly #idReuse: IdReuseCounter
  readonly #options: DeduplicatorOptions
  readonly #inFlight = new Map<string, Promise<Outcome>>()
  /** Receipts of records that were in the log before their event came, and so were not written for it. */
  readonly #found = new Set<Receipt>()

  constructor(options: DeduplicatorOptions) {
    this.#options = options
    this.#store = options.store
    this.#backlog = options.backlog
    this.#reported = options.reported
    this.#recovery = options.recovery
    this.#watch = options.watch
    this.#claims = options.claims
    this.#idReuse = options.idReuse
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** As `Ledger.once`, while the ledger takes events. */
  once(
    event: Event,
    deliver: (digest: string) => Promise<Outcome>,
    knownDigest: string | undefined,
  ): Promise<Outcome> {
    const { by, stages, maxPending } = this.#options.terms()
    const digest = knownDigest ?? digestOf(receivedBytes(event.body))
    const identity = identityOf(digest, event.id, by)
    this.#idReuse.see(event.id, digest)
    if (this.#store.lookup(identity) !== undefined) return this.#confirmRedelivery(event, identity)
    const copy = this.#inFlight.get(identity)
    if (copy !== undefined) return copy.then(asDuplicate)
    if (stages > 0 && this.#store.pending.count + this.#inFlight.size >= maxPending)
      return Promise.resolve(unavailable(event, 'HG_LEDGER_FULL', tooMany(maxPending)))
    const { epoch } = this.#reported
    const run = deliver(digest).then((outcome) => {
      this.#inFlight.delete(identity)
      if (isDurable(outcome) && this.#found.delete(outcome.receipt))
        return this.#adopt(event, identity, outcome.receipt)
      // A reload may have changed the setting meanwhile.
      const { by: now } = this.#options.terms()
      this.#settle(event, now === by ? identity : identityOf(digest, event.id, now), outcome, epoch)
      return outcome
    })
    this.#inFlight.set(identity, run)
    return run
  }

  /** As `Ledger.findWritten`. */
  findWritten(record: SinkRecord): Promise<Receipt> | undefined {
    const found = this.#claims.findUnproven(record)
    return found && this.#confirmFound(found)
  }

  /** Puts a record that a recovery has read into the state. */
  restore(record: LoggedRecord, use: RecordUse): void {
    if (isReplay(record)) return
    const claim = this.#claims.claimOf(record)
    if (claim === undefined) return
    if (!claim.proven) {
      if (use.index) this.#claims.indexUnproven(record, claim)
      this.#options.onChanged()
      return
    }
    const identity = identityOf(claim.digest, claim.id, this.#options.terms().by)
    if (this.#store.lookup(identity) !== undefined) return
    const { topic, partition, offset, timestamp } = record
    const position = { topic, partition, offset }
    const key = this.#store.keyOf(position)
    if (use.index) this.#store.insert(identity, { key, committedAt: this.#store.clock.at(timestamp) })
    // A record that is not indexed may be read twice, if the recovery starts over.
    if (use.pending && (use.index || !this.#backlog.isPending(key)))
      this.#backlog.add(committedOf(claim, position), key, this.#store.clock.now())
    this.#options.onChanged()
  }

  /** `epoch`: when the record was sent. */
  #settle(event: Event, identity: string, outcome: Outcome, epoch: number): void {
    if (isDurable(outcome)) {
      const { receipt } = outcome
      const key = this.#store.keyOf(receipt)
      if (this.#reported.isImpossible(key, epoch)) {
        this.#options.onReplaced(receipt)
        return
      }
      const now = this.#store.clock.now()
      this.#reported.report(key)
      this.#store.insert(identity, { key, committedAt: now })
      // A recovery that is under way may have read its record already.
      if (!this.#recovery.isReading || !this.#backlog.isPending(key))
        this.#backlog.add(committedOf(event, receipt), key, now)
    } else if (outcome.kind === 'dropped')
      this.#backlog.add(committedOf(event), this.#store.nextKey(), this.#store.clock.now())
    else {
      if ('error' in outcome && outcome.error.uncertain) this.#recovery.start({ fence: true, quiet: false })
      return
    }
    this.#options.onChanged()
  }

  /** An indexed event comes again. The log of its record may have been replaced. */
  async #confirmRedelivery(event: Event, identity: string): Promise<Outcome> {
    try {
      if (!(await this.#watch.confirm())) return notReady(event)
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'The log')
      return unavailable(event, code, message)
    }
    const indexed = this.#recovery.isOpen ? this.#store.lookup(identity) : undefined
    return indexed === undefined ? notReady(event) : this.#redelivered(event, indexed.key)
  }

  /** If its acknowledgement is not pending, it was made or has failed: it is made again. */
  #redelivered(event: Event, key: AckKey): Outcome {
    const receipt = this.#store.positionOf(key) as Position
    if (!this.#backlog.isPending(key)) {
      this.#backlog.add(committedOf(event, receipt), key, this.#store.clock.now())
      this.#options.onChanged()
    }
    return { kind: 'duplicate', id: event.id, receipt }
  }

  /** The receipt of a record that was in the log before; `once` then adopts it for the event. */
  async #confirmFound({ key }: IndexedEvent): Promise<Receipt> {
    const isSame = await this.#watch.confirm()
    const receipt = this.#store.positionOf(key)
    if (!isSame || receipt === undefined) throw new HeadgateError('HG_LEDGER_NOT_READY', NOT_READY)
    this.#found.add(receipt)
    return receipt
  }

  #adopt(event: Event, identity: string, receipt: Receipt): Outcome {
    const key = this.#store.keyOf(receipt)
    this.#store.insert(identity, { key, committedAt: this.#store.clock.now() })
    return this.#redelivered(event, key)
  }
}

type DurableOutcome = Extract<Outcome, { kind: 'delivered' | 'duplicate' | 'dead-lettered' }>

const isDurable = (outcome: Outcome): outcome is DurableOutcome =>
  outcome.kind === 'delivered' || outcome.kind === 'duplicate' || outcome.kind === 'dead-lettered'

const asDuplicate = (outcome: Outcome): Outcome =>
  isDurable(outcome) ? { ...outcome, kind: 'duplicate' } : outcome

const tooMany = (maxPending: number): string =>
  `${maxPending} events wait to be acknowledged to their sender.`

const NOT_READY = 'The ledger is not ready.'

export const notReady = (event: Event): Outcome => unavailable(event, 'HG_LEDGER_NOT_READY', NOT_READY)

export const unavailable = ({ id }: Event, code: ErrorCode, message: string): Outcome => ({
  kind: 'unavailable',
  id,
  error: new HeadgateError(code, message),
})
