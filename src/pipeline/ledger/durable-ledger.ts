import { hash } from 'node:crypto'
import { HeadgateError } from '../../errors.js'
import type {
  Committed,
  Event,
  Log,
  LoggedRecord,
  Outcome,
  Position,
  Receipt,
  RecordLog,
} from '../../plugin.js'
import { HEADER } from '../header-names.js'
import { type Backlog, createBacklog } from './backlog.js'
import { createCommitter } from './committer.js'
import { createFlusher } from './flusher.js'
import type { Ledger } from './ledger.js'
import type { PipelineState } from './pipeline-state.js'
import { type Progress, readBack } from './read-back.js'
import { ledgerReport } from './report.js'
import type { Owed } from './state-rows.js'

export interface DurableLedgerOptions {
  readonly pipeline: string
  /** Rejects where the state cannot be used. */
  openState(): PipelineState
  /** Where the records are; without it, what the state directory loses is lost. */
  readonly log: RecordLog | undefined
  readonly logger: Log
  /** How long and how many events are recognised when they come again. */
  readonly window: number
  readonly entries: number
  /** How many acknowledgements may be owed before intake answers 503. */
  readonly maxPending: number
  /** How many post-commit stages an acknowledgement passes, in order. */
  readonly stages: number
  readonly signal: AbortSignal
}

type Durable = Extract<Outcome, { kind: 'delivered' | 'duplicate' | 'dead-lettered' }>

const isDurable = (outcome: Outcome): outcome is Durable =>
  outcome.kind === 'delivered' || outcome.kind === 'duplicate' || outcome.kind === 'dead-lettered'

/**
 * Kafka is the log, the state directory its index. Nothing on the path of an event waits for the disk: what it has not
 * been told yet is read back from Kafka, at start and whenever a record's fate is unknown, before the next event is taken.
 */
export function durableLedger(options: DurableLedgerOptions): Ledger {
  const { pipeline, log, logger, stages, maxPending, signal } = options
  const running = new Map<string, Promise<Outcome>>()
  const wakers: (() => void)[] = []
  /** Reported, and not yet told to the state: an unknown fate before them must keep the checkpoint back. */
  const reported = new Map<string, Position>()
  const progress: Progress = { read: 0, total: 0, problem: undefined }
  let condition: 'stopped' | 'reading' | 'open' = 'stopped'
  let state: PipelineState
  let backlog: Backlog

  const flusher = createFlusher({
    logger,
    async flush() {
      if (condition === 'open') {
        for (const position of reported.values()) state.advance(position)
        reported.clear()
      }
      await state.flush()
      backlog.refill()
    },
  })
  const committer = createCommitter({ logger, log, signal, positions: () => state.acknowledgedUpTo() })

  const changed = (): void => {
    flusher.wake()
    committer.wake()
  }
  const owe = (committed: Committed): void => {
    if (stages === 0) return
    const key = committed.receipt === undefined ? state.nextKey() : state.keyOf(committed.receipt)
    const now = Date.now()
    backlog.add({ key, committed, committedAt: now, stage: 0, attempts: 0, dueAt: now })
    changed()
  }
  const isOwed = (position: Position): boolean => stages > 0 && state.isOwed(state.keyOf(position))
  const report = ({ topic, partition, offset }: Receipt): void => {
    reported.set(`${topic} ${partition}`, { topic, partition, offset: offset + 1 })
  }
  const settle = (event: Event, identity: string, outcome: Outcome): void => {
    if (isDurable(outcome)) {
      report(outcome.receipt)
      state.remember(identity, { position: outcome.receipt, committedAt: Date.now() })
      // While the log is read its record may have been met there already.
      if (condition !== 'reading' || !isOwed(outcome.receipt)) owe(committed(event, outcome.receipt))
      changed()
    } else if (outcome.kind === 'dropped') owe(committed(event))
    else if (outcome.error.uncertain) void open(true)
  }

  /** Takes no event until the log has been read to its end. */
  async function open(fence: boolean): Promise<void> {
    if (condition === 'reading' || log === undefined) return
    condition = 'reading'
    const { window, entries } = options
    const visit = (record: LoggedRecord, owed: boolean): void => learn(record, owed)
    await readBack({ log, state, window, entries, logger, visit, signal }, progress, fence)
    if (signal.aborted) return
    reported.clear()
    condition = 'open'
    changed()
  }
  function learn(record: LoggedRecord, owed: boolean): void {
    const id = record.header(HEADER.id)
    const digest = record.header(HEADER.digest)
    if (id === undefined || digest === undefined || record.header(HEADER.pipeline) !== pipeline) return
    // It was a dead letter, and is known and acknowledged as that.
    if (record.header(HEADER.replayOf) !== undefined) return
    const identity = identityOf(digest, id)
    if (state.recall(identity) !== undefined) return
    const { topic, partition, offset, timestamp } = record
    state.remember(identity, { position: { topic, partition, offset }, committedAt: timestamp })
    const traceparent = record.header(HEADER.traceparent)
    if (owed)
      owe({ id, receipt: { topic, partition, offset }, ...(traceparent !== undefined && { traceparent }) })
    flusher.wake()
  }

  return {
    async start() {
      state = options.openState()
      backlog = createBacklog(state, stages, (stage) => wakers[stage]?.())
      for (const owed of state.loadOwed()) backlog.load(owed)
      if (log === undefined) condition = 'open'
      else void open(false)
    },
    async stop() {
      if (condition === 'stopped') return
      condition = 'stopped'
      for (const position of reported.values()) state.advance(position)
      await flusher.stop()
      await committer.stop()
    },
    notReady() {
      const disk = flusher.problem()
      if (disk !== undefined) return [disk]
      if (condition !== 'reading') return []
      const { read, total, problem } = progress
      return [problem ?? `The ledger is being read back from Kafka: ${read} of about ${total} records.`]
    },
    async once(event, deliver) {
      if (condition !== 'open' || flusher.problem() !== undefined) return notOpen(event)
      const digest = hash('sha256', event.body.bytes, 'base64url')
      const identity = identityOf(digest, event.id)
      const known = state.recall(identity)
      if (known !== undefined) {
        if (!isOwed(known.position)) owe(committed(event, known.position))
        return { kind: 'duplicate', id: event.id, receipt: known.position }
      }
      const twin = running.get(identity)
      if (twin !== undefined) return asDuplicate(await twin)
      if (stages > 0 && state.owedCount() + running.size >= maxPending) return full(event, maxPending)
      const run = deliver(digest)
      running.set(identity, run)
      const outcome = await run
      running.delete(identity)
      settle(event, identity, outcome)
      return outcome
    },
    take: (stage, now) => backlog.take(stage, now),
    acknowledged(pending) {
      const owed = pending as Owed
      if (owed.stage + 1 < stages)
        backlog.putBack({ ...owed, stage: owed.stage + 1, attempts: 0, dueAt: Date.now() })
      else backlog.settle(owed)
      changed()
    },
    retry(pending, dueAt) {
      backlog.putBack({ ...(pending as Owed), attempts: pending.attempts + 1, dueAt })
      changed()
    },
    failed(pending, reason) {
      const owed = pending as Owed
      state.fail({ ...owed, reason, failedAt: Date.now() })
      backlog.settle(owed)
      changed()
    },
    dueAt: (stage) => backlog?.dueAt(stage),
    onAdded: (stage, wake) => {
      wakers[stage] = wake
    },
    backlog: () =>
      condition === 'stopped'
        ? { count: 0, oldest: undefined, failed: 0, remembersSince: Date.now() }
        : {
            count: state.owedCount(),
            oldest: state.oldestOwed()?.committedAt,
            failed: state.failedCount(),
            remembersSince: state.remembersSince(),
          },
    report: () => ledgerReport(state),
    retryFailed() {
      const failures = state.failures()
      for (const failed of failures) {
        state.forgetFailure(failed)
        const { reason: _, failedAt: __, ...owed } = failed
        if (state.isOwed(owed.key)) continue
        backlog.add({ ...owed, attempts: 0, dueAt: Date.now(), committedAt: Date.now() })
      }
      changed()
      return failures.length
    },
  }
}

/** Same id and same bytes: the same event. An id alone may name a definition that many events share. */
const identityOf = (digest: string, id: string): string => digest.slice(0, IDENTITY_DIGITS) + id

/** 132 bits of the digest are enough to tell events apart, and keep the index small. */
const IDENTITY_DIGITS = 22

const committed = ({ id, traceparent }: Event, receipt?: Receipt): Committed => ({
  id,
  ...(receipt !== undefined && { receipt }),
  ...(traceparent !== undefined && { traceparent }),
})

const asDuplicate = (outcome: Outcome): Outcome =>
  isDurable(outcome) ? { ...outcome, kind: 'duplicate' } : outcome

const full = ({ id }: Event, maxPending: number): Outcome => ({
  kind: 'unavailable',
  id,
  error: new HeadgateError('HG_LEDGER_FULL', `${maxPending} events wait to be acknowledged to their sender.`),
})

const notOpen = ({ id }: Event): Outcome => ({
  kind: 'unavailable',
  id,
  error: new HeadgateError('HG_LEDGER_NOT_READY', 'The ledger is not ready.'),
})
