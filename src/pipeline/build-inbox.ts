import type { CheckedPipeline } from '../config/check.js'
import { HeadgateError } from '../contract/errors.js'
import { type Inbox, type Log, receivedBytes, type Sink } from '../contract/index.js'
import { FailedAckTopic } from '../dead-letters/failed-ack-topic.js'
import { InboxLedger } from '../inbox/inbox-ledger.js'
import { toInboxRecord } from '../inbox/inbox-record.js'
import type { Action } from '../inbox/item.js'
import { unreadableLetter } from '../inbox/letters.js'
import type { PipelineInbox } from '../inbox/pipeline-inbox.js'
import type { WorkOffObserver } from '../inbox/work-off.js'
import type { LedgerTerms } from '../ledger/ledger.js'
import type { MetricsScope } from '../metrics/registry.js'
import { INBOX_OUTCOMES, METRICS } from '../metrics/table.js'
import type { Delivery } from './build-delivery.js'
import type { BuiltIntake } from './build-intake.js'
import type { StageRef } from './decision.js'
import { observeSink } from './observe.js'
import { verdictOf } from './path.js'
import type { Decider, LivePipeline } from './pipeline.js'

/** Undefined for a pipeline without an inbox. */
export function buildInbox(
  { settings }: CheckedPipeline,
  { name, revision, mac, proof, sink, sinkStage }: Delivery,
  { decider, stages, metrics, traffic }: BuiltIntake['intake'],
): PipelineInbox | undefined {
  const { deadLetter } = settings
  if (settings.inbox === undefined || deadLetter === undefined) return undefined
  const { topic } = settings.inbox
  const { ref, observer } = sinkStage
  const send = observeSink({ ...ref, onError: 'reject' }, inboxOf(sink, topic), observer)
  const origin = { pipeline: name, revision, plugin: ref.plugin, target: deadLetter }
  const counters = new Map(
    INBOX_OUTCOMES.map((outcome) => [
      outcome,
      metrics.counter(METRICS.inboxEventsTotal, { pipeline: name, outcome }),
    ]),
  )
  const delay = metrics.histogram(METRICS.inboxDelaySeconds, { pipeline: name })
  return {
    async accept(decided, context) {
      const { event } = decided
      const sent = await send(event, toInboxRecord(topic, decided), context)
      if (sent.kind === 'pass') return { kind: 'accepted', id: event.id, receipt: sent.value }
      const { error } = sent as Extract<typeof sent, { kind: 'reject' | 'unavailable' }>
      return { kind: sent.kind === 'reject' ? 'rejected' : 'unavailable', id: event.id, error }
    },
    refused: ({ event, digest }, error) =>
      refusal(decider, event, digest, error, ref) ?? {
        kind: 'dead-lettered',
        record: { target: deadLetter, key: null, value: receivedBytes(event.body), headers: [] },
        stage: ref.stage,
        error,
      },
    unreadableLetter: (record, error) => unreadableLetter(origin, record, error),
    failedAcks: new FailedAckTopic({
      ...{ pipeline: name, revision, mac, proof, target: deadLetter },
      log: sink.log,
      send: (record) => sink.send(record),
      stages: stages.postCommit,
    }),
    workedOff({ action, timestamp }, isDuplicate) {
      counters.get(isDuplicate ? 'duplicate' : action.kind)?.inc()
      delay.observe(Math.max(0, Date.now() - timestamp) / 1000)
      if (!isDuplicate && action.kind === 'dead-lettered')
        traffic.deadLettered({ ...action, kind: 'dead-letter' })
    },
  }
}

/** Its sender has a 2xx: it is dropped or a dead letter, and never rejected. Undefined if its dead letter cannot be made. */
function refusal(
  { deadLetter }: Decider,
  event: Parameters<typeof verdictOf>[1],
  digest: string,
  error: HeadgateError,
  by: StageRef,
): Action | undefined {
  if (by.onError === 'drop') return { kind: 'dropped' }
  const verdict = verdictOf(deadLetter, event, digest, { kind: 'dead-letter', error, by }, undefined)
  return verdict.kind === 'dead-letter' ? { ...verdict, kind: 'dead-lettered' } : undefined
}

/** Under the newest config that takes events; undefined before the first does. */
export const currentInbox = (live: ReadonlySet<LivePipeline>): PipelineInbox | undefined => {
  const newest = [...live].at(-1)
  return newest?.role === 'primary' ? newest.committer.inbox : undefined
}

interface InboxLedgerParts extends LedgerTerms {
  readonly pipeline: string
  readonly topic: string
  readonly sink: Sink
  readonly metrics: MetricsScope
  readonly logger: Log
  readonly signal: AbortSignal
  current(): PipelineInbox
}

export function buildInboxLedger({ sink, metrics, pipeline, topic, ...more }: InboxLedgerParts): InboxLedger {
  const inbox = inboxOf(sink, topic)
  const ledger = new InboxLedger({
    ...more,
    topic,
    inbox,
    observer: observerOf(pipeline, metrics),
  })
  metrics.sampled(METRICS.inboxPartitions, { pipeline }, () => ledger.owned())
  metrics.sampled(METRICS.inboxRestoringPartitions, { pipeline }, () => ledger.restoring())
  return ledger
}

function inboxOf(sink: Sink, topic: string): Inbox {
  const inbox = sink.inbox?.(topic)
  if (inbox === undefined) throw new HeadgateError('HG_PLUGIN_FAILED', 'The sink offers no inbox.')
  return inbox
}

function observerOf(pipeline: string, metrics: MetricsScope): WorkOffObserver {
  const rebalance = (change: 'assigned' | 'revoked') =>
    metrics.counter(METRICS.inboxRebalancesTotal, { pipeline, change })
  const [assigned, revoked] = [rebalance('assigned'), rebalance('revoked')]
  const results = ['committed', 'fenced', 'refused', 'unavailable'] as const
  const transactions = new Map(
    results.map((result) => [result, metrics.counter(METRICS.inboxTransactionsTotal, { pipeline, result })]),
  )
  const duration = metrics.histogram(METRICS.inboxTransactionDurationSeconds, { pipeline })
  return {
    assigned: () => assigned.inc(),
    revoked: () => revoked.inc(),
    transaction(result, milliseconds) {
      transactions.get(result)?.inc()
      duration.observe(milliseconds / 1000)
    },
  }
}
