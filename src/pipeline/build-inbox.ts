import type { CheckedPipeline } from '../config/checked-pipeline.js'
import { HeadgateError } from '../contract/errors.js'
import type { ForeignTopics, Inbox, Log, Sink } from '../contract/index.js'
import { FailedAckTopic } from '../dead-letters/failed-ack-topic.js'
import { InboxLedger } from '../inbox/inbox-ledger.js'
import { toInboxRecord } from '../inbox/inbox-record.js'
import { INBOX_STAGE, itemOf, pastEventOf } from '../inbox/item.js'
import { type LetterOrigin, unreadableLetter } from '../inbox/letters.js'
import type { PipelineInbox } from '../inbox/pipeline-inbox.js'
import { SourceBeginning } from '../inbox/source-beginning.js'
import { TopicLedgers } from '../inbox/topic-ledgers.js'
import type { LedgerTerms } from '../ledger/ledger.js'
import type { MetricsScope } from '../metrics/registry.js'
import { INBOX_OUTCOMES, METRICS } from '../metrics/table.js'
import type { Delivery } from './build-delivery.js'
import type { BuiltIntake } from './build-intake.js'
import { inboxObserver, showInbox } from './inbox-metrics.js'
import { observeSink } from './observe.js'
import type { LivePipeline } from './pipeline.js'
import { type RecordEnd, recordEnded } from './record-end.js'
import { recordReader } from './record-reader.js'
import { refusal } from './refusal.js'

/** Undefined for a pipeline without an inbox, whose source has no topics either. */
export function buildInbox(
  { settings }: CheckedPipeline,
  delivery: Delivery,
  intake: BuiltIntake['intake'],
  tapped: Omit<RecordEnd, 'traffic'>,
): PipelineInbox | undefined {
  const { inbox, deadLetter } = settings
  const { records } = intake.stages.source.instance
  if (deadLetter === undefined) return undefined
  const { name: pipeline, revision, sink, sinkStage } = delivery
  const { ref, observer } = sinkStage
  const origin = { pipeline, revision, target: deadLetter }
  if (records !== undefined) {
    const { name: stage, plugin } = intake.stages.source
    const own = { ...origin, stage, plugin }
    const common = workingOff(delivery, intake, own)
    const end = { ...tapped, traffic: intake.traffic }
    return {
      ...common,
      ...recordReader(records, intake, delivery, (record, error) => unreadableLetter(own, record, error)),
      workedOff(item, isDuplicate) {
        common.workedOff(item, isDuplicate)
        recordEnded(item, isDuplicate, end)
      },
    }
  }
  if (inbox === undefined) return undefined
  const own = { ...origin, stage: INBOX_STAGE, plugin: ref.plugin }
  const send = observeSink({ ...ref, onError: 'reject' }, inboxOf(sink, inbox.topic), observer)
  return {
    ...workingOff(delivery, intake, own),
    async accept(decided, context) {
      const { event } = decided
      const sent = await send(event, toInboxRecord(inbox.topic, decided), context)
      if (sent.kind === 'pass') return { kind: 'accepted', id: event.id, receipt: sent.value }
      const { error } = sent as Extract<typeof sent, { kind: 'reject' | 'unavailable' }>
      return { kind: sent.kind === 'reject' ? 'rejected' : 'unavailable', id: event.id, error }
    },
    read: (record, by) => itemOf(record, by, (unread, error) => unreadableLetter(own, unread, error)),
    past: pastEventOf,
  }
}

/** The part that an inbox and the topics of a source have in common. */
function workingOff(
  { name, revision, mac, proof, sink, sinkStage: { ref } }: Delivery,
  { decider, stages, metrics, traffic }: BuiltIntake['intake'],
  origin: LetterOrigin,
): Pick<PipelineInbox, 'refused' | 'failedAcks' | 'workedOff'> {
  const counters = new Map(
    INBOX_OUTCOMES.map((outcome) => [
      outcome,
      metrics.counter(METRICS.inboxEventsTotal, { pipeline: name, outcome }),
    ]),
  )
  const delay = metrics.histogram(METRICS.inboxDelaySeconds, { pipeline: name })
  return {
    refused: ({ event, digest }, error) => refusal(decider, origin.target, event, digest, error, ref),
    failedAcks: new FailedAckTopic({
      ...{ pipeline: name, revision, mac, proof, target: origin.target },
      log: sink.log,
      send: (record) => sink.send(record),
      stages: stages.postCommit,
    }),
    workedOff({ action, timestamp }, isDuplicate) {
      if (action.kind !== 'undecided') counters.get(isDuplicate ? 'duplicate' : action.kind)?.inc()
      delay.observe(Math.max(0, Date.now() - timestamp) / 1000)
      if (!isDuplicate && action.kind === 'dead-lettered')
        traffic.deadLettered({ ...action, kind: 'dead-letter' })
    },
  }
}

/** Under the newest config that takes events; undefined before the first does. */
export const currentInbox = (live: ReadonlySet<LivePipeline>): PipelineInbox | undefined => {
  const newest = [...live].at(-1)
  return newest?.role === 'whole' ? newest.committer.inbox : undefined
}

interface InboxLedgerParts extends LedgerTerms {
  readonly pipeline: string
  readonly topics: readonly string[]
  /** If they are those of a source. */
  readonly foreign: ForeignTopics | undefined
  /** How many workers of this process share the partitions; undefined if it does not warn when these are too few. */
  readonly workers: number | undefined
  readonly sink: Sink
  readonly metrics: MetricsScope
  readonly logger: Log
  readonly signal: AbortSignal
  current(): PipelineInbox
  isPaused(): boolean
}

export function buildInboxLedger({
  sink,
  metrics,
  pipeline,
  topics,
  foreign,
  workers = 0,
  ...more
}: InboxLedgerParts): InboxLedger | TopicLedgers {
  const observer = inboxObserver(pipeline, metrics)
  const onJoined = idleWorkersWarning(workers, topics, more.logger)
  const beginning = foreign === undefined ? undefined : new SourceBeginning({ topics, logger: more.logger })
  const ledgers = topics.map((topic) => {
    const inbox = foreign === undefined ? inboxOf(sink, topic) : recordsOf(sink, topic, foreign)
    return new InboxLedger({ ...more, pipeline, topic, inbox, observer, onJoined, beginning })
  })
  showInbox(pipeline, metrics, () => ledgers.map((ledger) => ledger.state()))
  const [only] = ledgers
  return only !== undefined && ledgers.length === 1 ? only : new TopicLedgers(ledgers)
}

/** Called with the number of partitions of each topic. Warns after the last if workers are left without a partition. */
function idleWorkersWarning(workers: number, topics: readonly string[], log: Log): (count: number) => void {
  const counts: number[] = []
  return (count) => {
    if (counts.push(count) < topics.length) return
    const partitions = counts.reduce((sum, each) => sum + each, 0)
    if (workers > partitions)
      log.warn(
        { topics, partitions, workers },
        `HEADGATE_WORKERS is ${workers}, and there ${partitions === 1 ? 'is one partition' : `are ${partitions} partitions`} to work off: ${workers - partitions} of the workers have nothing to work off. Set HEADGATE_WORKERS to ${partitions} or less`,
      )
  }
}

function inboxOf(sink: Sink, topic: string): Inbox {
  const inbox = sink.inbox?.(topic)
  if (inbox === undefined) throw new HeadgateError('HG_PLUGIN_FAILED', 'The sink offers no inbox.')
  return inbox
}

function recordsOf(sink: Sink, topic: string, all: ForeignTopics): Pick<Inbox, 'join'> {
  const records = sink.records?.(topic, all)
  if (records === undefined) throw new HeadgateError('HG_PLUGIN_FAILED', 'The sink reads no topics.')
  return records
}
