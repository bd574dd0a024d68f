import { isDeepStrictEqual } from 'node:util'
import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import type { PipelineConfig } from '../config/schema.js'
import type { MetricDeclaration, RecordSource, Sink, SinkRecord } from '../contract/index.js'
import type { PipelineInbox } from '../inbox/pipeline-inbox.js'
import type { DedupLimits } from '../ledger/dedup-index.js'
import { DurableLedger } from '../ledger/durable-ledger.js'
import type { Ledger, LedgerBacklog, LedgerTerms } from '../ledger/ledger.js'
import type { LedgerStore } from '../ledger/store.js'
import { pointer } from '../lib/json/pointer.js'
import { milliseconds } from '../lib/units.js'
import type { MetricsScope } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { Acknowledger } from './acknowledge.js'
import type { Delivery } from './build-delivery.js'
import { buildInbox, buildInboxLedger, currentInbox } from './build-inbox.js'
import { buildIntake, type IntakeDeps } from './build-intake.js'
import { FailureLog } from './event-log.js'
import { observeSink } from './observe.js'
import { commit } from './path.js'
import type { BuiltAcknowledger, OffloadToWorkers, Pipeline, Runtime } from './pipeline.js'
import type { RecordMac } from './record-mac.js'
import type { BuiltStage } from './stage.js'
import { NO_TAPS, type Tap } from './taps.js'

/** The parts of a process that its whole pipelines use. */
export interface PipelineDeps extends IntakeDeps {
  /** Shown the events of all pipelines. */
  readonly taps?: ReadonlySet<Tap>
  /** If there are workers. */
  readonly offloadToWorkers?: OffloadToWorkers
  /** Opens the state of a pipeline without an inbox. Rejects in a worker: it has no such pipeline whole, and no state directory. */
  openStore(pipeline: string, limits: DedupLimits): Promise<LedgerStore>
  /** How many workers have the pipeline whole, and share its limits. */
  readonly sharedBy?: number
  /** The slot of this worker, from 1 on. */
  readonly worker?: number
}

/**
 * Builds a checked pipeline. Pure: opens no connection and takes no event. `running`: the same pipeline under the config so
 * far. The new one keeps its ledger, and every stage that is configured the same, unless `isRestarted` is true for it.
 */
export function buildPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: PipelineDeps,
  running?: Pipeline,
  isRestarted: (stage: BuiltStage) => boolean = () => false,
): Pipeline {
  const { name, settings } = checked
  const { intake, delivery, deadLetters, log } = buildIntake(config, checked, deps, running, isRestarted)
  const { revision, mac, sink, sinkStage, targets } = delivery
  if (sinkStage.built !== running?.stages.sink) sink.expect(targets)
  const { records } = intake.stages.source.instance
  const terms = termsOf(checked, sink, mac, records, deps.sharedBy)
  const taps = deps.taps ?? NO_TAPS
  const masks = settings.tap.mask.map((path) => pointer(path).tokens)
  const { stages } = intake
  const inbox = buildInbox(checked, delivery, intake, { taps, pipeline: { name, masks, stages } })
  const ledger =
    running?.ledger ??
    openLedger(checked, terms, sink, intake.runtime, inbox && { first: inbox, records }, deps)
  showTerms(intake.metrics, name, settings, terms)
  const once = { send: (record: SinkRecord) => ledger.findWritten(record) ?? sink.send(record) }
  const pipeline: Pipeline = {
    role: 'whole',
    ...intake,
    revision,
    log,
    committer: {
      ledger,
      send: observeSink(sinkStage.ref, once, sinkStage.observer),
      deadLetter: intake.decider.deadLetter,
      sendDeadLetter: observeSink(deadLetters.ref, once, deadLetters.observer),
      deadLettered: (verdict) => intake.traffic.deadLettered(verdict),
      inbox,
    },
    ledger,
    terms,
    acknowledgers: stages.postCommit.map((stage, index) =>
      buildAcknowledger(stage, index, settings.postCommit, delivery, ledger, deps, running),
    ),
    targets,
    taps,
    masks,
    commit: (decided, context) => commit(pipeline, decided, context),
  }
  return pipeline
}

function termsOf(
  { settings }: CheckedPipeline,
  { log, instances }: Sink,
  mac: RecordMac,
  records: RecordSource | undefined,
  sharedBy = 1,
): LedgerTerms {
  const { redelivery, maxPending, postCommit } = settings
  const window = milliseconds(redelivery.window)
  return {
    log,
    instances,
    mac,
    by: redelivery.by,
    window,
    entries: records?.hasIds === false ? 0 : redelivery.entries,
    maxPending: Math.ceil(maxPending / sharedBy),
    stages: postCommit.length,
  }
}

/**
 * Reuses the acknowledger if its retry and rate settings are unchanged, so that the rate limit that it has learned survives
 * a reload.
 */
function buildAcknowledger(
  stage: BuiltStage<'post-commit'>,
  index: number,
  all: PipelineConfig['postCommit'],
  { stageDeps, name: pipeline }: Delivery,
  ledger: Ledger,
  { offloadToWorkers, sharedBy = 1, taps = NO_TAPS }: PipelineDeps,
  running: Pipeline | undefined,
): BuiltAcknowledger {
  const settings = sharedBetween(sharedBy, all[index] as PipelineConfig['postCommit'][number])
  const before = running?.acknowledgers[index]
  const isSame = stage === running?.stages.postCommit[index]
  if (isSame && before !== undefined && isDeepStrictEqual(engineOf(settings), engineOf(before.settings)))
    return before
  const metrics = stageDeps.metrics.scope()
  const { name, plugin, log } = stage
  const ref = { pipeline, stage: name, plugin, onError: 'reject' } as const
  const observer = { metrics, log, failures: new FailureLog(log) }
  const instance = offloadToWorkers?.(pipeline, index, stage.instance) ?? stage.instance
  const acknowledger = new Acknowledger({ index, ref, observer, instance, ledger, settings, taps })
  return { acknowledger, settings, metrics }
}

/** With the part of its limits that each of so many workers has, rounded up so that none is 0. */
const sharedBetween = (
  workers: number,
  settings: PipelineConfig['postCommit'][number],
): PipelineConfig['postCommit'][number] => ({
  ...settings,
  concurrency: Math.ceil(settings.concurrency / workers),
  ...(settings.rate !== undefined && { rate: Math.ceil(settings.rate / workers) }),
})

const engineOf = ({ concurrency, rate, retry }: PipelineConfig['postCommit'][number]) => ({
  concurrency,
  rate,
  retry,
})

/** Shows the limits that the gauges of the ledger are read against. */
function showTerms(
  metrics: MetricsScope,
  pipeline: string,
  { redelivery, postCommit }: PipelineConfig,
  { maxPending }: LedgerTerms,
): void {
  const limit = postCommit.length === 0 ? undefined : maxPending
  metrics.sampled(METRICS.ledgerPendingLimit, { pipeline }, () => limit)
  metrics.sampled(
    METRICS.ledgerWindowConfiguredSeconds,
    { pipeline },
    () => milliseconds(redelivery.window) / 1000,
  )
}

/** Under the config with which the ledger starts. */
interface OpenedInbox {
  readonly first: PipelineInbox
  readonly records: RecordSource | undefined
}

function openLedger(
  { name: pipeline, settings }: CheckedPipeline,
  terms: LedgerTerms,
  sink: Sink,
  runtime: Runtime,
  inbox: OpenedInbox | undefined,
  { openStore, log, signal, sharedBy, worker }: PipelineDeps,
): Ledger {
  const { live, metrics } = runtime
  const ledger =
    inbox === undefined
      ? new DurableLedger({
          ...terms,
          pipeline,
          openStore: (limits) => openStore(pipeline, limits),
          logger: log({ pipeline, stage: 'ledger' }),
          signal,
        })
      : buildInboxLedger({
          ...terms,
          ...{ pipeline, sink, metrics, signal },
          topics: inbox.records?.topics ?? (settings.inbox === undefined ? [] : [settings.inbox.topic]),
          foreign: inbox.records,
          // The others would write the same line.
          workers: worker === 1 ? sharedBy : undefined,
          current: () => currentInbox(live) ?? inbox.first,
          isPaused: () => inbox.records !== undefined && runtime.targetState !== 'RUNNING',
          logger: log({ pipeline, stage: inbox.records === undefined ? 'inbox' : 'source.kafka' }),
        })
  const sampled = (
    declaration: MetricDeclaration<'pipeline'>,
    read: (backlog: LedgerBacklog) => number | undefined,
  ) => metrics.sampled(declaration, { pipeline }, () => read(ledger.backlog()))
  /** Without post-commit stages nothing is ever pending, and nothing is shown. */
  const acknowledges = () => [...live].some(({ stages }) => stages.postCommit.length > 0)
  const ofAcknowledging = (
    declaration: MetricDeclaration<'pipeline'>,
    read: (backlog: LedgerBacklog) => number,
  ) => sampled(declaration, (backlog) => (acknowledges() ? read(backlog) : undefined))
  ofAcknowledging(METRICS.ledgerPending, ({ count }) => count)
  ofAcknowledging(METRICS.ledgerOldestPendingSeconds, ({ oldestAge }) => oldestAge / 1000)
  ofAcknowledging(METRICS.ledgerFailed, ({ failed }) => failed)
  sampled(METRICS.ledgerWindowSeconds, ({ dedupSpan }) => dedupSpan && dedupSpan / 1000)
  sampled(METRICS.ledgerReplacedPartitions, ({ replacedPartitions }) => replacedPartitions)
  sampled(METRICS.ledgerSameIdOtherBytes, ({ sameIdOtherBytes }) => sameIdOtherBytes)
  sampled(METRICS.ledgerUnprovenRecords, ({ unprovenRecords }) => unprovenRecords)
  return ledger
}
