import { asHeadgateError, type ErrorCode, HeadgateError } from '../contract/errors.js'
import type { Committed, Event, Log, LoggedRecord, Outcome, Position, Receipt } from '../contract/index.js'
import { type Backlog, createBacklog } from './backlog.js'
import { createClaims } from './claims.js'
import { committed } from './committed.js'
import { digestOf } from './digest.js'
import { createFlusher } from './flusher.js'
import { identityOf } from './identity.js'
import type { Ledger, LedgerTerms } from './ledger.js'
import { createLogWatch } from './log-watch.js'
import { createCommitter } from './offset-committer.js'
import { createOtherBytes } from './other-bytes.js'
import { createReading } from './reading.js'
import { HEADER } from './record-headers.js'
import type { Needed } from './recovery.js'
import type { StateLimits } from './remembered-events.js'
import { forgetPartitions } from './replaced-log.js'
import { knownPartitions, ledgerReport } from './report.js'
import type { Known, Owed, OwedKey } from './rows.js'
import type { PipelineState } from './store.js'

export interface DurableLedgerOptions extends LedgerTerms {
  readonly pipeline: string
  /** Rejects where the state cannot be used. */
  openState(limits: StateLimits): Promise<PipelineState>
  readonly logger: Log
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
  const { pipeline, logger, signal } = options
  let { log, mac, by, window, entries, stages, maxPending } = options
  const running = new Map<string, Promise<Outcome>>()
  const wakers: (() => void)[] = []
  /** How far partitions are reported, and the state not yet told: an unknown fate before that must keep the checkpoint back. */
  const reported = new Map<number, number>()
  /** Of each partition, what is before was reported when events were last taken, or the state last written. */
  const behind = new Map<number, number>()
  /** How often the log has been read to its end: a record that was sent since then is not before `behind`. */
  let openings = 0
  let replacedPartitions = 0
  /** Places of records that were there before the event came, and so were not written for it. */
  const found = new Set<Receipt>()
  let state: PipelineState
  let backlog: Backlog

  const flusher = createFlusher({
    logger,
    async flush() {
      if (reading.isOpen()) advance()
      // The next start takes up what is due first: what it finds in other places, it has to look for.
      if (reading.isStopped()) backlog.park()
      await state.flush()
      if (!reading.isStopped()) backlog.refill()
    },
  })
  const committer = createCommitter({
    logger,
    log: () => log,
    signal,
    positions: () => state.acknowledgedUpTo(),
  })

  const changed = (): void => {
    flusher.wake()
    committer.wake()
  }
  const advance = (): void => {
    for (const [number, offset] of reported) {
      state.advance([number, offset])
      behind.set(number, offset)
    }
    reported.clear()
  }
  /** Owes the acknowledgement of an event, which is the record at `key` where it has one. */
  const owe = (committed: Committed, key: OwedKey, now: number): void => {
    if (stages > 0) backlog.add({ key, committed, committedAt: now, stage: 0, attempts: 0, dueAt: now })
  }
  const age = (time: number | undefined): number =>
    time === undefined ? 0 : Math.max(0, state.clock.now() - time)
  const isOwed = (key: OwedKey): boolean => stages > 0 && state.isOwed(key)
  const settle = (event: Event, identity: string, outcome: Outcome, sentAfter: number): void => {
    const now = state.clock.now()
    if (isDurable(outcome)) {
      const { receipt } = outcome
      const key = state.keyOf(receipt)
      if (sentAfter === openings && receipt.offset < (behind.get(key[0]) ?? 0)) {
        foundOther(receipt)
        return
      }
      reported.set(key[0], receipt.offset + 1)
      state.remember(identity, { key, committedAt: now })
      // While the log is read its record may have been met there already.
      if (!reading.underWay() || !isOwed(key)) owe(committed(event, receipt), key, now)
    } else if (outcome.kind === 'dropped') owe(committed(event), state.nextKey(), now)
    else {
      if (outcome.error.uncertain) reading.begin({ fence: true, quiet: false })
      return
    }
    changed()
  }

  const reading = createReading({
    log: () => log,
    options: (present) => ({
      log: present,
      state,
      window,
      entries,
      logger,
      visit: learn,
      replaced,
      signal,
      relearn: ![by, undefined].includes(state.recognisedBy()),
      identityOf: (digest, id) => identityOf(digest, id, by),
    }),
    opened() {
      reported.clear()
      openings++
      state.recogniseBy(by)
      behind.clear()
      for (const { topic, partition, known } of knownPartitions(state))
        behind.set(state.keyOf({ topic, partition, offset: 0 })[0], known)
      changed()
    },
  })
  const watch = createLogWatch({
    log: () => log,
    state() {
      for (const [number, offset] of reported) state.advance([number, offset])
      return state
    },
    isOpen: reading.isOpen,
    replaced: () => reading.begin({ fence: false, quiet: false }),
  })
  /** What is known is learned again from the log; until then no event is taken. */
  function recognisedOtherwise(): void {
    state.log.clearMarks()
    reading.begin({ fence: false, quiet: false })
  }
  /** Offsets only grow: the log has been replaced. The record becomes known, and is owed, when the new one is read. */
  function foundOther({ topic, partition, offset }: Receipt): void {
    forgetPartitions(
      topic,
      [partition],
      `a record was written at offset ${offset}, before known ones`,
      state,
      logger,
    )
    replaced(1)
    reading.begin({ fence: false, quiet: false })
  }
  function replaced(partitions: number): void {
    replacedPartitions += partitions
    committer.forget()
  }
  const otherBytes = createOtherBytes()
  const claims = createClaims({ pipeline, logger, window: () => window, state: () => state })
  function learn(record: LoggedRecord, needed: Needed): void {
    // It was a dead letter, and is known and acknowledged as that.
    if (record.header(HEADER.replayOf) !== undefined) return
    const claim = claims.of(record)
    if (claim === undefined) return
    if (!claim.proven) {
      if (needed.remembered) claims.rememberUnproven(record, claim)
      changed()
      return
    }
    const { id, digest } = claim
    const identity = identityOf(digest, id, by)
    if (state.recall(identity) !== undefined) return
    const { topic, partition, offset, timestamp } = record
    const position = { topic, partition, offset }
    const key = state.keyOf(position)
    if (needed.remembered) state.remember(identity, { key, committedAt: state.clock.at(timestamp) })
    // What is not remembered may be met again, where reading began anew.
    if (needed.owed && (needed.remembered || !isOwed(key)))
      owe(committed(claim, position), key, state.clock.now())
    changed()
  }
  /** Its record is known, and so is its acknowledgement unless it is owed now: then it is made again. */
  function redelivered(event: Event, { key }: Known): Outcome {
    const receipt = state.positionOf(key) as Position
    if (!isOwed(key)) {
      owe(committed(event, receipt), key, state.clock.now())
      changed()
    }
    return { kind: 'duplicate', id: event.id, receipt }
  }
  /** The record of the event was there already. */
  function adopt(event: Event, identity: string, receipt: Receipt): Outcome {
    const key = state.keyOf(receipt)
    state.remember(identity, { key, committedAt: state.clock.now() })
    return redelivered(event, { key, committedAt: 0 })
  }
  async function confirmedPlace(known: Known): Promise<Receipt> {
    const same = await watch.confirm()
    const receipt = state.positionOf(known.key)
    if (!same || receipt === undefined)
      throw new HeadgateError('HG_LEDGER_NOT_READY', 'The ledger is not ready.')
    found.add(receipt)
    return receipt
  }
  /** An event that is known, as far as the log of its record is still there. */
  async function confirmed(event: Event, identity: string): Promise<Outcome> {
    try {
      if (!(await watch.confirm())) return notOpen(event)
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'The log')
      return unavailable(event, code, message)
    }
    const known = reading.isOpen() ? state.recall(identity) : undefined
    return known === undefined ? notOpen(event) : redelivered(event, known)
  }

  return {
    async start() {
      state = await options.openState({ window, entries })
      claims.proveBy(mac)
      if (state.recognisedBy() !== by) state.log.clearMarks()
      let orphans = 0
      const orphaned = (count: number) => {
        orphans += count
        setImmediate(sayOrphaned)
      }
      const sayOrphaned = () => {
        if (orphans === 0) return
        logger.warn(
          { count: orphans },
          'acknowledgements are not made: they were owed for post-commit stages that are no more',
        )
        orphans = 0
      }
      backlog = createBacklog({ state, stages, added: (stage) => wakers[stage]?.(), orphaned })
      const stoppedInOrder = state.takeCleanStop()
      for (const owed of state.loadOwed(stoppedInOrder)) backlog.load(owed)
      backlog.refill()
      reading.begin({ fence: false, quiet: stoppedInOrder })
      watch.start()
    },
    async stop() {
      if (reading.isStopped()) return
      watch.stop()
      // Not while the fate of a record is unknown: it would be behind the checkpoint, and never be read.
      const allKnown = reading.isOpen()
      if (allKnown) advance()
      reading.stop()
      await flusher.stop()
      await committer.stop()
      state.close(allKnown && running.size === 0 && flusher.problem() === undefined)
    },
    notReady() {
      const disk = flusher.problem()
      if (disk !== undefined) return [disk]
      const gone = watch.problem()
      return gone === undefined ? reading.notReady() : [gone]
    },
    ready: reading.ready,
    once(event, deliver, digestKnown) {
      const disk = flusher.problem()
      if (disk !== undefined) return Promise.resolve(unavailable(event, 'HG_STATE_WRITE', disk))
      if (!reading.isOpen()) return Promise.resolve(notOpen(event))
      const digest = digestKnown ?? digestOf(event.body.bytes)
      const identity = identityOf(digest, event.id, by)
      otherBytes.see(event.id, digest)
      if (state.recall(identity) !== undefined) return confirmed(event, identity)
      const twin = running.get(identity)
      if (twin !== undefined) return twin.then(asDuplicate)
      if (stages > 0 && state.owedCount() + running.size >= maxPending)
        return Promise.resolve(unavailable(event, 'HG_LEDGER_FULL', tooMany(maxPending)))
      const sentAfter = openings
      const takenBy = by
      const run = deliver(digest).then((outcome) => {
        running.delete(identity)
        if (isDurable(outcome) && found.delete(outcome.receipt))
          return adopt(event, identity, outcome.receipt)
        // A reload may have changed meanwhile what events are recognised by.
        settle(event, takenBy === by ? identity : identityOf(digest, event.id, by), outcome, sentAfter)
        return outcome
      })
      running.set(identity, run)
      return run
    },
    written(record) {
      const known = claims.unprovenLike(record)
      return known && confirmedPlace(known)
    },
    now: () => state.clock.now(),
    take: (stage, now, untriedOnly = false) => backlog.take(stage, now, untriedOnly),
    acknowledged(pending) {
      const owed = pending as Owed
      const stage = backlog.stageBehind(owed)
      if (stage < stages) backlog.putBack(owed, { stage, attempts: 0, dueAt: state.clock.now() })
      else backlog.settle(owed)
      changed()
    },
    retry(pending, dueAt) {
      const owed = pending as Owed
      const stage = backlog.stageOf(owed)
      if (stage < stages) backlog.putBack(owed, { stage, attempts: pending.attempts + 1, dueAt })
      else backlog.settle(owed)
      changed()
    },
    failed(pending, reason) {
      const owed = pending as Owed
      state.failures.add({ ...owed, stage: backlog.stageOf(owed), reason, failedAt: state.clock.now() })
      backlog.settle(owed)
      changed()
    },
    dueAt: (stage, untriedOnly = false) => backlog?.dueAt(stage, untriedOnly),
    async refill() {
      if (backlog.isPartlyOnDisk()) await flusher.now()
    },
    onAdded: (stage, wake) => {
      wakers[stage] = wake
    },
    backlog: () =>
      reading.isStopped()
        ? {
            count: 0,
            oldestAge: 0,
            failed: 0,
            remembersFor: 0,
            replacedPartitions,
            unprovenRecords: claims.unproven(),
            sameIdOtherBytes: otherBytes.count(),
          }
        : {
            count: state.owedCount(),
            oldestAge: age(state.oldestOwed()?.committedAt),
            failed: state.failures.count(),
            remembersFor: age(state.remembersSince()),
            replacedPartitions,
            unprovenRecords: claims.unproven(),
            sameIdOtherBytes: otherBytes.count(),
          },
    meet: reading.meet,
    canMoveTo: reading.canMoveTo,
    change(terms, stageAfter) {
      if (stageAfter !== undefined) {
        backlog.restage(terms.stages, stageAfter)
        state.failures.restage(stageAfter)
      }
      log = terms.log
      mac = terms.mac
      const other = by !== terms.by
      by = terms.by
      claims.proveBy(mac)
      reading.logChanged()
      window = terms.window
      entries = terms.entries
      maxPending = terms.maxPending
      stages = terms.stages
      state.limit({ window, entries })
      if (other) recognisedOtherwise()
      changed()
    },
    report: () => ledgerReport(state),
    partitions: () => knownPartitions(state),
    retryFailed() {
      const failures = state.failures.all()
      for (const failed of failures) {
        state.failures.forget(failed)
        const { reason: _, failedAt: __, ...owed } = failed
        if (state.isOwed(owed.key) || owed.stage >= stages) continue
        const now = state.clock.now()
        backlog.add({ ...owed, attempts: 0, dueAt: now, committedAt: now })
      }
      changed()
      return failures.length
    },
  }
}

const asDuplicate = (outcome: Outcome): Outcome =>
  isDurable(outcome) ? { ...outcome, kind: 'duplicate' } : outcome

const tooMany = (maxPending: number): string =>
  `${maxPending} events wait to be acknowledged to their sender.`

const notOpen = (event: Event): Outcome =>
  unavailable(event, 'HG_LEDGER_NOT_READY', 'The ledger is not ready.')

const unavailable = ({ id }: Event, code: ErrorCode, message: string): Outcome => ({
  kind: 'unavailable',
  id,
  error: new HeadgateError(code, message),
})
