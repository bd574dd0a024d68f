import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import {
  type Event,
  type Inbox,
  type InboxMember,
  type Log,
  type Outcome,
  type RecordLog,
  receivedBytes,
} from '../contract/index.js'
import { LedgerClock } from '../ledger/clock.js'
import { notReady } from '../ledger/deduplicator.js'
import { digestOf, IdReuseCounter } from '../ledger/identity.js'
import type {
  AckSource,
  Ledger,
  LedgerBacklog,
  LedgerReport,
  LedgerTerms,
  PartitionProgress,
  SharedInstances,
} from '../ledger/ledger.js'
import { stoppedError } from '../ledger/recovery.js'
import { PendingAges } from '../ledger/report.js'
import type { FailureReason, PendingAck, StageAfter } from '../ledger/rows.js'
import { type Backoff, backoffDelay, endsWithin, SerialQueue, sleep, untilAborted } from '../lib/async.js'
import { AcknowledgedPositions } from './acknowledged-positions.js'
import { beginInbox } from './beginning.js'
import { EarlierEvents } from './earlier-events.js'
import { FailedAckRetries } from './failed-ack-retries.js'
import { InboxAcks } from './inbox-acks.js'
import type { PipelineInbox } from './pipeline-inbox.js'
import type { SourceBeginning } from './source-beginning.js'
import { type Step, WorkOff, type WorkOffObserver } from './work-off.js'

export interface InboxLedgerOptions extends LedgerTerms {
  /** With the topics of a source, its events are not those of a pipeline without an inbox. */
  readonly inbox: Pick<Inbox, 'join'> & Partial<Pick<Inbox, 'status' | 'reuse'>>
  /** Of the source, if these are its topics. */
  readonly beginning?: Pick<SourceBeginning, 'requireNothingLeft'> | undefined
  readonly pipeline: string
  readonly topic: string
  /** The inbox under the present config. */
  current(): PipelineInbox
  /** Topics of other programs wait while an operator has paused the pipeline. */
  isPaused?(): boolean
  readonly observer: WorkOffObserver
  /** Called with the number of partitions when this instance has joined the group. */
  onJoined(partitions: number): void
  readonly logger: Log
  /** Aborted when the shutdown no longer waits for anything. */
  readonly signal: AbortSignal
}

/** An inbox, and the part of it that this instance owns, for metrics. */
export interface InboxState {
  /** How many partitions the inbox uses, whichever instances own them; undefined until this instance has joined. */
  readonly inUse: number | undefined
  readonly owned: number
  /** How many of these are being restored. */
  readonly restoring: number
  /** Records in the owned partitions that are not worked off. */
  readonly lag: number
  /** When the oldest of these was accepted; undefined if there is none. */
  readonly oldestAt: number | undefined
  /** Milliseconds for which the inbox keeps a record; undefined if it has no bound, or if the cluster does not tell. */
  readonly retention: number | undefined
}

/** All in milliseconds. */
const BACKOFF: Backoff = { initial: 200, max: 5000 }
/** A start waits so long for an error that no retry mends. */
const GRACE = 3000
/**
 * Between the beginnings of two transactions: events that come meanwhile share one. A transaction costs as much CPU time as 20
 * events do. With many events, more share one: at 4,600 a second that takes 12 us from each of them.
 */
const TRANSACTION_EVERY = 20
const TRANSACTION_EVERY_OF_MANY = 40
const MANY = 50
/** Without a transaction for so long, it rests between two polls: an instance without events took 6 % of a core otherwise. */
const IDLE_AFTER = 1000
const IDLE_REST = 20
const COMMIT_EVERY = 1000
const LOOK_EVERY = 5 * 60_000
const MEASURE_EVERY = 10_000

/**
 * The ledger of a pipeline with an inbox. It keeps nothing on disk: the inbox has the events, its groups have the positions.
 * Events are not deduplicated when they are accepted, but by the owner of their partition, when they are worked off.
 */
export class InboxLedger implements Ledger, AckSource {
  readonly #options: InboxLedgerOptions
  readonly #clock = new LedgerClock(undefined)
  readonly #acks: InboxAcks
  readonly #failedAcks: FailedAckRetries
  readonly #ending = new AbortController()
  readonly #commits = new SerialQueue()
  readonly #positions: AcknowledgedPositions
  readonly #idReuse = new IdReuseCounter()
  #terms: LedgerTerms
  #member: InboxMember | undefined
  #workOff: WorkOff | undefined
  #running: Promise<void> | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #problem: string | undefined
  #retention: number | undefined
  /** Nothing from before the inbox is left to do, so events are accepted. */
  #isOpen = false
  readonly #waiting: { resolve(): void; reject(error: HeadgateError): void }[] = []

  constructor(options: InboxLedgerOptions) {
    this.#options = options
    this.#terms = options
    this.#acks = new InboxAcks({
      stages: options.stages,
      clock: this.#clock,
      keep: (failed, reason) => options.current().failedAcks.keep(failed, reason),
    })
    const { logger } = options
    this.#positions = new AcknowledgedPositions(this.#acks, logger)
    this.#failedAcks = new FailedAckRetries({
      acks: this.#acks,
      store: () => options.current().failedAcks,
      logger,
    })
  }

  /** Rejects if the cluster will never allow an inbox; joins the group in the background otherwise. */
  async start(): Promise<void> {
    const joining = this.#join()
    try {
      await endsWithin(joining, GRACE)
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The inbox')
      if (error.kind === 'config') throw error
    }
    this.#running = this.#run(joining)
    const every = (milliseconds: number, task: () => Promise<void>) =>
      this.#timers.push(setInterval(() => void this.#commits.run(task), milliseconds).unref())
    every(COMMIT_EVERY, () => this.#noteProgress())
    every(LOOK_EVERY, () => this.#failedAcks.look())
    // No commit waits for these.
    const repeat = (milliseconds: number, task: () => Promise<void>) =>
      this.#timers.push(setInterval(() => void task().catch(() => {}), milliseconds).unref())
    repeat(LOOK_EVERY, () => this.#noteRetention())
    repeat(MEASURE_EVERY, async () => this.#workOff?.assignment.measure())
  }

  /** Works off nothing more, and keeps its partitions, whose acknowledgements go on. */
  async finish(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** Gives its partitions to the other instances, with the acknowledgements that are pending. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.finish()
    for (const { reject } of this.#waiting.splice(0)) reject(stoppedError())
    const { signal } = this.#options
    await untilAborted(
      this.#commits.run(() => this.#noteProgress()),
      signal,
    )
    await untilAborted(this.#member?.leave(), signal)
    this.#member = undefined
  }

  /** Events are accepted while others cannot be worked off: a backlog in the inbox is no reason to refuse more. */
  notReady(): readonly string[] {
    return this.#isOpen ? [] : [this.#problem ?? 'It is not known yet whether the pipeline can begin.']
  }

  ready(): Promise<void> {
    if (this.#isOpen) return Promise.resolve()
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }))
  }

  once(
    event: Event,
    deliver: (digest: string) => Promise<Outcome>,
    digest = digestOf(receivedBytes(event.body)),
  ): Promise<Outcome> {
    return this.#isOpen ? deliver(digest) : Promise.resolve(notReady(event))
  }

  findWritten(): undefined {
    return undefined
  }

  now(): number {
    return this.#acks.now()
  }

  take(stage: number, now: number, newOnly?: boolean): PendingAck | undefined {
    return this.#acks.take(stage, now, newOnly)
  }

  acknowledged(pending: PendingAck): void {
    this.#acks.acknowledged(pending)
  }

  retry(pending: PendingAck, dueAt: number): void {
    this.#acks.retry(pending, dueAt)
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    this.#acks.failed(pending, reason)
  }

  dueAt(stage: number, newOnly?: boolean): number | undefined {
    return this.#acks.dueAt(stage, newOnly)
  }

  refill(): Promise<void> {
    return this.#acks.refill()
  }

  onAdded(stage: number, wake: () => void): void {
    this.#acks.onAdded(stage, wake)
  }

  backlog(): LedgerBacklog {
    const { count, failures, oldestAt } = this.#acks
    const since = this.#workOff?.assignment.since
    return {
      count,
      oldestAge: oldestAt === undefined ? 0 : Math.max(0, this.now() - oldestAt),
      failed: failures.kept.length,
      dedupSpan: since && Math.max(0, Date.now() - since),
      replacedPartitions: 0,
      unprovenRecords: 0,
      sameIdOtherBytes: this.#idReuse.count,
    }
  }

  state(): InboxState {
    const { size = 0, restoring = 0, lag = 0, oldestAt } = this.#workOff?.assignment ?? {}
    return {
      inUse: this.#member?.partitions,
      owned: size,
      restoring,
      lag,
      oldestAt,
      retention: this.#retention,
    }
  }

  partitions(): readonly PartitionProgress[] {
    const { topic } = this.#options
    const ends = this.#acks.ends()
    return [...this.#acks.positions()].map(([partition, acknowledged]) => ({
      topic,
      partition,
      known: ends.get(partition) ?? acknowledged,
      acknowledged,
    }))
  }

  async report(ownOnly = false): Promise<LedgerReport> {
    const own = { count: this.#acks.failures.kept.length, first: [] }
    const failed = ownOnly ? own : await this.#failedAcks.report()
    const ages = new PendingAges(this.now())
    for (const [time, count] of this.#acks.committedTimes()) ages.count(time, count)
    return {
      pending: ages.all(),
      failed,
      partitions: this.partitions(),
      remembersSince: this.#workOff?.assignment.since ?? Date.now(),
    }
  }

  async instances(): Promise<SharedInstances> {
    if (this.#member === undefined)
      throw new HeadgateError(
        'HG_LEDGER_NOT_READY',
        `This instance has not joined the others yet${this.#problem === undefined ? '.' : `: ${this.#problem}`}`,
      )
    const { topic } = this.#options
    const { own, partitions, ...group } = await this.#member.progress()
    return {
      kind: 'shared',
      own: [own],
      ...group,
      partitions: partitions.map((each) => ({ topic, ...each })),
    }
  }

  async catchUp(log: RecordLog): Promise<void> {
    if (log !== this.#terms.log)
      throw new HeadgateError(
        'HG_RELOAD_RESTART',
        'The sink of a pipeline with an inbox changes: restart Headgate, so that it joins the group of the inbox there.',
      )
  }

  canMoveTo(log: RecordLog | undefined): boolean {
    return log === this.#terms.log
  }

  /** Partitions that are owned keep their index; another window or `by` applies to those that are restored from now on. */
  change(terms: LedgerTerms, stageAfter: StageAfter | undefined): void {
    if (stageAfter !== undefined) this.#acks.restage(terms.stages, stageAfter)
    this.#terms = terms
  }

  retryFailed(): Promise<number> {
    return this.#failedAcks.retry()
  }

  async #join(): Promise<InboxMember> {
    const { inbox, beginning, pipeline, topic, logger } = this.#options
    const { log } = this.#terms
    if (!this.#isOpen) {
      if (log !== undefined) {
        if (hasStatus(inbox)) await beginInbox(inbox, { ...this.#terms, pipeline, topic, log, logger })
        await beginning?.requireNothingLeft(log)
      }
      this.#isOpen = true
      for (const { resolve } of this.#waiting.splice(0)) resolve()
    }
    return await inbox.join()
  }

  #earlierEvents({ partitions }: InboxMember): EarlierEvents | undefined {
    const { inbox, pipeline, topic, logger } = this.#options
    const { log } = this.#terms
    if (log === undefined || !hasStatus(inbox)) return undefined
    return new EarlierEvents({ pipeline, topic, partitions, log, logger, terms: () => this.#terms })
  }

  async #run(joining: Promise<InboxMember>): Promise<void> {
    const ending = this.#ending.signal
    let next: Promise<InboxMember> | undefined = joining
    let busyAt = performance.now()
    for (let failures = 0; !ending.aborted; ) {
      try {
        if (this.#workOff === undefined) {
          const member: InboxMember = await (next ?? this.#join())
          next = undefined
          this.#member = member
          this.#workOff = this.#start(member)
          this.#options.onJoined(member.partitions)
          void this.#noteRetention()
        }
        const step = await this.#workOff.step()
        busyAt = step?.startedAt ?? busyAt
        if (step !== undefined) await untilTime(step.startedAt + pauseOf(step), ending)
        else if (performance.now() - busyAt > IDLE_AFTER) await sleep(IDLE_REST, ending)
        if (this.#problem !== undefined) this.#options.logger.info({}, 'the inbox is worked off again')
        this.#problem = undefined
        failures = 0
      } catch (thrown) {
        next = undefined
        const { code, message } = asHeadgateError(thrown, 'The inbox')
        if (this.#problem !== message)
          this.#options.logger.warn({ code }, `the inbox cannot be worked off now; retrying: ${message}`)
        this.#problem = message
        await sleep(backoffDelay(BACKOFF, failures++), ending)
      }
    }
  }

  #start(member: InboxMember): WorkOff {
    const { topic, observer, logger, current, isPaused = () => false } = this.#options
    return new WorkOff({
      member,
      topic,
      acks: this.#acks,
      terms: () => {
        const { window, entries, by, maxPending } = this.#terms
        return { limits: { window, entries }, by, maxPending, isPaused: isPaused() }
      },
      refused: (decided, error) => current().refused(decided, error),
      read: (record, by) => current().read(record, by),
      past: (record) => current().past(record),
      earlier: this.#earlierEvents(member),
      onWorkedOff: (item, isDuplicate) => {
        const { decided } = item
        // All deliveries of an id are in one partition, and so come to its owner.
        if (decided !== undefined) this.#idReuse.see(decided.event.id, decided.digest)
        current().workedOff(item, isDuplicate)
      },
      observer,
      log: logger,
    })
  }

  async #noteRetention(): Promise<void> {
    this.#retention = await this.#member?.retention()
  }

  async #noteProgress(): Promise<void> {
    const member = this.#member
    await Promise.all([member && this.#positions.commit(member), this.#failedAcks.note()])
  }
}

/** The topics of a source have none: others write to them, and nobody has to begin. */
const hasStatus = (inbox: InboxLedgerOptions['inbox']): inbox is Pick<Inbox, 'join' | 'status' | 'reuse'> =>
  inbox.status !== undefined

const pauseOf = ({ events }: Step): number => (events < MANY ? TRANSACTION_EVERY : TRANSACTION_EVERY_OF_MANY)

async function untilTime(time: number, signal: AbortSignal): Promise<void> {
  const left = time - performance.now()
  if (left > 0) await sleep(left, signal)
}
