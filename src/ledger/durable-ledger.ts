import type { Event, InstanceGroup, Log, Outcome, Receipt, RecordLog, SinkRecord } from '../contract/index.js'
import { Backlog } from './backlog.js'
import type { CatchUpOptions } from './catch-up.js'
import { Claims } from './claims.js'
import type { DedupLimits } from './dedup-index.js'
import { Deduplicator, notReady, unavailable } from './deduplicator.js'
import { Flusher } from './flusher.js'
import { IdReuseCounter, identityOf } from './identity.js'
import type {
  Ledger,
  LedgerBacklog,
  LedgerInstances,
  LedgerReport,
  LedgerTerms,
  PartitionProgress,
} from './ledger.js'
import { LogWatch } from './log-watch.js'
import { OffsetCommitter } from './offset-committer.js'
import { Recovery } from './recovery.js'
import { forgetPartitions } from './replaced-log.js'
import { ledgerReport, partitionProgress } from './report.js'
import { ReportedOffsets } from './reported-offsets.js'
import type { FailureReason, PendingAck, StageAfter } from './rows.js'
import type { LedgerStore } from './store.js'

export interface DurableLedgerOptions extends LedgerTerms {
  readonly pipeline: string
  /** Rejects if the state cannot be used. */
  openStore(limits: DedupLimits): Promise<LedgerStore>
  readonly logger: Log
  readonly signal: AbortSignal
}

/**
 * The ledger of a pipeline. Kafka is the log, the state directory its index: no event waits for the disk, because a recovery
 * reads from Kafka all changes that the disk does not have.
 *
 * Words: an event is *indexed* if the index has its identity and the offset of its record. An acknowledgement is *pending*
 * until all post-commit stages have made it, or it has *failed* for good. A record is *reported* once Kafka has confirmed it.
 * The *checkpoint* of a partition is the offset below which the state has all records.
 *
 * Invariants:
 * 1. Of each record of this pipeline below a checkpoint, the state has all that it needs: the event is indexed (if it is
 *    within the limits of the index), and its acknowledgement is pending, failed or made. One transaction writes a checkpoint
 *    and all that it implies.
 * 2. Only a record in the log is indexed: one that Kafka has reported, or that a recovery has read. If the log of its
 *    partition is replaced, the event is a redelivery no more; its acknowledgement stays pending, because it was durable.
 * 3. An event is indexed and its acknowledgement becomes pending in the same tick, so that no flush writes one without the
 *    other.
 * 4. A checkpoint never passes a record of unknown fate: the reports of a partition come in the order of its offsets, and
 *    become checkpoints only while the ledger is open. An outcome in doubt closes it, until the sink has cancelled all
 *    records in flight (fence) and the log has been read to its end.
 * 5. The ledger takes events only while it is open, which means: every record below the end of the log is in the state, and
 *    this instance is the active one (`InstanceGroup`). Otherwise it fences, and reads the log when it is active again.
 * 6. Of each identity at most one event is in flight; copies get its outcome.
 * 7. A redelivery gets its response only after a check, begun after its arrival, that the log is still the same. Its acknowledgement
 *    is then pending again, unless it was pending already.
 * 8. The offset of the consumer group never passes a checkpoint on disk or a pending record, and never goes back while the
 *    log is the same.
 *
 * Losses of a crash, by its moment:
 * - Before Kafka has reported a record: nothing. The sender has no 2xx and sends again. If the record is in the log after
 *   all, the recovery finds it at or behind the checkpoint before the redelivery is taken (1, 5).
 * - After that, before the next flush: the changes in memory. The recovery reads the records again. Acknowledgements that
 *   were made meanwhile are made twice; those of dropped events, which have no record, are lost.
 * - During a flush: the same; a transaction is written wholly or not at all.
 * - With the machine, as the index does not wait for the disk: possibly the index. Its checksums then do not match, and the
 *   next start puts it aside.
 * - With the state directory: the recovery fills the index from the redelivery window, and makes the records from the offset
 *   of the consumer group on pending. Attempts, due times, failed acknowledgements and those of dropped events are lost; an
 *   event outside the limits of the index is written again if it comes again.
 */
export class DurableLedger implements Ledger {
  readonly #openStore: DurableLedgerOptions['openStore']
  readonly #logger: Log
  readonly #signal: AbortSignal
  #terms: LedgerTerms
  #instances: InstanceGroup | undefined
  /** Takes the place of `#instances` when it is active. */
  #joining: InstanceGroup | undefined
  readonly #wakers: (() => void)[] = []
  #replacedPartitions = 0
  readonly #flusher: Flusher
  readonly #committer: OffsetCommitter
  readonly #recovery: Recovery
  readonly #watch: LogWatch
  readonly #claims: Claims
  readonly #idReuse = new IdReuseCounter()
  /** These four from `start` on. */
  #store!: LedgerStore
  #backlog!: Backlog
  #reported!: ReportedOffsets
  #deduplicator!: Deduplicator

  constructor({ pipeline, openStore, logger, signal, ...terms }: DurableLedgerOptions) {
    this.#openStore = openStore
    this.#logger = logger
    this.#signal = signal
    this.#terms = terms
    this.#instances = terms.instances
    const log = () => this.#terms.log
    this.#flusher = new Flusher({ logger, flush: () => this.#flush() })
    const positions = () => this.#store.acknowledgedUpTo()
    this.#committer = new OffsetCommitter({ log, logger, positions, signal })
    this.#recovery = new Recovery({
      log,
      instances: () => this.#instances,
      catchUpOptions: (present) => this.#catchUpOptions(present),
      onCaughtUp: () => this.#onCaughtUp(),
    })
    this.#watch = new LogWatch({
      log,
      store: () => {
        this.#reported.advanceForCheck()
        return this.#store
      },
      isOpen: () => this.#recovery.isOpen,
      onReplaced: () => this.#recovery.start({ fence: false, quiet: false }),
    })
    const window = () => this.#terms.window
    this.#claims = new Claims({ pipeline, logger, window, store: () => this.#store })
  }

  async start(): Promise<void> {
    const { by, mac, stages } = this.#terms
    this.#store = await this.#openStore(this.#terms)
    this.#claims.addKey(mac)
    if (this.#store.dedupBy !== by) this.#store.marks.clear()
    this.#reported = new ReportedOffsets(this.#store)
    this.#backlog = new Backlog({
      store: this.#store,
      stages,
      logger: this.#logger,
      onAdded: (stage) => this.#wakers[stage]?.(),
    })
    this.#deduplicator = new Deduplicator({
      store: this.#store,
      backlog: this.#backlog,
      reported: this.#reported,
      recovery: this.#recovery,
      watch: this.#watch,
      claims: this.#claims,
      idReuse: this.#idReuse,
      terms: () => this.#terms,
      onChanged: () => this.#changed(),
      onReplaced: (receipt) => this.#dropReplaced(receipt),
    })
    const stoppedInOrder = this.#store.takeCleanStop()
    for (const ack of this.#store.pending.load(stoppedInOrder)) this.#backlog.enqueue(ack)
    this.#backlog.refill()
    this.#instances?.join(this.#store.instanceId, this.#onLost)
    this.#recovery.start({ fence: false, quiet: stoppedInOrder })
    this.#watch.start()
  }

  /** An event is accepted when it is delivered. */
  async finish(): Promise<void> {}

  async stop(isTakenOver = false): Promise<void> {
    if (this.#recovery.isStopped) return
    this.#watch.stop()
    // Not while the fate of a record is unknown: the checkpoint would pass it, and it would never be read.
    const isCaughtUp = this.#recovery.isOpen
    if (isCaughtUp) this.#reported.advance()
    this.#recovery.stop()
    await this.#flusher.stop()
    await this.#committer.stop()
    await Promise.all([this.#joining, this.#instances].map((instances) => instances?.leave(isTakenOver)))
    this.#store.close(isCaughtUp && this.#deduplicator.inFlight === 0 && this.#flusher.problem === undefined)
  }

  notReady(): readonly string[] {
    const problem = this.#flusher.problem ?? this.#watch.problem
    return problem === undefined ? this.#recovery.notReady() : [problem]
  }

  ready(): Promise<void> {
    return this.#recovery.ready()
  }

  once(event: Event, deliver: (digest: string) => Promise<Outcome>, knownDigest?: string): Promise<Outcome> {
    const { problem } = this.#flusher
    if (problem !== undefined) return Promise.resolve(unavailable(event, 'HG_STATE_WRITE', problem))
    if (this.#instances?.isActive() === false) {
      const code = this.#instances.state().kind === 'standby' ? 'HG_LEDGER_STANDBY' : 'HG_LEDGER_UNDECIDED'
      return Promise.resolve(unavailable(event, code, this.#instances.reason()))
    }
    if (!this.#recovery.isOpen) return Promise.resolve(notReady(event))
    return this.#deduplicator.once(event, deliver, knownDigest)
  }

  findWritten(record: SinkRecord): Promise<Receipt> | undefined {
    return this.#deduplicator.findWritten(record)
  }

  now(): number {
    return this.#store.clock.now()
  }

  take(stage: number, now: number, newOnly = false): PendingAck | undefined {
    return this.#backlog.take(stage, now, newOnly)
  }

  acknowledged(pending: PendingAck): void {
    this.#backlog.acknowledged(pending)
    this.#changed()
  }

  retry(pending: PendingAck, dueAt: number): void {
    this.#backlog.retry(pending, dueAt)
    this.#changed()
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    this.#backlog.failed(pending, reason)
    this.#changed()
  }

  dueAt(stage: number, newOnly = false): number | undefined {
    return this.#backlog?.dueAt(stage, newOnly)
  }

  async refill(): Promise<void> {
    if (this.#backlog.isPartlyOnDisk()) await this.#flusher.now()
  }

  onAdded(stage: number, wake: () => void): void {
    this.#wakers[stage] = wake
  }

  backlog(): LedgerBacklog {
    const counts = {
      replacedPartitions: this.#replacedPartitions,
      unprovenRecords: this.#claims.unproven,
      sameIdOtherBytes: this.#idReuse.count,
    }
    if (this.#recovery.isStopped) return { count: 0, oldestAge: 0, failed: 0, dedupSpan: 0, ...counts }
    const ageOf = (time: number): number => Math.max(0, this.now() - time)
    const oldest = this.#store.oldestPending()
    return {
      count: this.#store.pending.count,
      oldestAge: oldest === undefined ? 0 : ageOf(oldest.committedAt),
      failed: this.#store.failed.count,
      dedupSpan: ageOf(this.#store.indexedSince),
      ...counts,
    }
  }

  catchUp(log: RecordLog): Promise<void> {
    return this.#recovery.prepare(log)
  }

  canMoveTo(log: RecordLog | undefined): boolean {
    return this.#recovery.canMoveTo(log)
  }

  change(terms: LedgerTerms, stageAfter: StageAfter | undefined): void {
    if (stageAfter !== undefined) this.#backlog.restage(terms.stages, stageAfter)
    const before = this.#terms
    this.#terms = terms
    this.#claims.addKey(terms.mac)
    this.#recovery.logChanged()
    this.#store.limit(terms)
    if (terms.instances !== before.instances) void this.#moveTo(terms.instances)
    if (terms.by !== before.by) {
      // The index has to be filled again from the log.
      this.#store.marks.clear()
      this.#recovery.start({ fence: false, quiet: false })
    }
    this.#changed()
  }

  report(): Promise<LedgerReport> {
    return ledgerReport(this.#store)
  }

  async instances(): Promise<LedgerInstances> {
    const state = this.#instances?.state() ?? { kind: 'unguarded' }
    const isStandingBy = state.kind === 'standby' || state.kind === 'undecided'
    return {
      kind: 'one-active',
      state,
      ...(isStandingBy && this.#instances !== undefined && { reason: this.#instances.reason() }),
    }
  }

  partitions(): readonly PartitionProgress[] {
    return partitionProgress(this.#store)
  }

  async retryFailed(): Promise<number> {
    const count = this.#backlog.retryFailed()
    this.#changed()
    return count
  }

  #changed(): void {
    this.#flusher.wake()
    this.#committer.wake()
  }

  async #flush(): Promise<void> {
    if (this.#recovery.isOpen) this.#reported.advance()
    // The next start loads the earliest due from disk: it would have to look for those that are not spilled.
    if (this.#recovery.isStopped) this.#backlog.spill()
    await this.#store.flush()
    if (!this.#recovery.isStopped) this.#backlog.refill()
  }

  #catchUpOptions(log: () => RecordLog): Omit<CatchUpOptions, 'quiet'> {
    const { window, entries, by } = this.#terms
    const { dedupBy } = this.#store
    return {
      log,
      store: this.#store,
      window,
      entries,
      logger: this.#logger,
      visit: (record, use) => this.#deduplicator.restore(record, use),
      onReplaced: (partitions) => this.#countReplaced(partitions),
      signal: this.#signal,
      reindex: dedupBy !== undefined && dedupBy !== by,
      identityOf: (digest, id) => identityOf(digest, id, this.#terms.by),
    }
  }

  /**
   * The place in the group goes over to the client of another sink, without a moment in which no instance is active: the place
   * lasts for a session without the one before. Both have the same id, and Kafka would take the two for copies of a process.
   */
  async #moveTo(next: InstanceGroup | undefined): Promise<void> {
    void this.#joining?.leave(true)
    this.#joining = next
    const before = this.#instances
    const retired = Promise.resolve(before?.retire()).then(() => true)
    next?.join(this.#store.instanceId, this.#onLost)
    const mustCatchUp = await Promise.race([next?.active(this.#signal), retired])
    if (this.#recovery.isStopped || this.#terms.instances !== next) return
    this.#instances = next
    this.#joining = undefined
    if (mustCatchUp) this.#onLost()
    await before?.leave(true)
  }

  readonly #onLost = (): void => this.#recovery.start({ fence: true, quiet: false })

  #onCaughtUp(): void {
    // Another instance may have committed since.
    this.#committer.forget()
    this.#store.setDedupBy(this.#terms.by)
    this.#reported.startEpoch()
    this.#changed()
  }

  /** Offsets only grow: the log was replaced. The recovery indexes the record and makes its acknowledgement pending. */
  #dropReplaced({ topic, partition, offset }: Receipt): void {
    const reason = `a record was written at offset ${offset}, below earlier ones`
    forgetPartitions(topic, [partition], reason, this.#store, this.#logger)
    this.#countReplaced(1)
    this.#recovery.start({ fence: false, quiet: false })
  }

  #countReplaced(partitions: number): void {
    this.#replacedPartitions += partitions
    this.#committer.forget()
  }
}
