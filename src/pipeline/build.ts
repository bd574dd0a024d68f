import { isDeepStrictEqual } from 'node:util'
import type { RootDatabase } from 'lmdb'
import type { CheckedPipeline } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import type { PipelineConfig } from '../config/schema.js'
import type { Log, MetricDeclaration, RecordLog, SinkRecord } from '../contract/index.js'
import { DurableLedger } from '../ledger/durable-ledger.js'
import type { Ledger, LedgerBacklog, LedgerTerms } from '../ledger/ledger.js'
import { LedgerStore } from '../ledger/store.js'
import { pointer } from '../lib/json/pointer.js'
import { milliseconds } from '../lib/units.js'
import type { MetricsRegistry, MetricsScope } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { Acknowledger } from './acknowledge.js'
import { buildDecider, buildPostCommitStage, buildSourceStage, observeDeadLetters } from './build-decider.js'
import { buildDelivery, type Delivery, type DeliveryDeps } from './build-delivery.js'
import { FailureLog } from './event-log.js'
import { observeSink } from './observe.js'
import {
  type BuiltPostCommit,
  type BuiltSource,
  type OffloadToWorkers,
  type Pipeline,
  type RemoteCommit,
  type Runtime,
  stagesOf,
} from './pipeline.js'
import { macOf, type RecordMac } from './record-mac.js'
import type { BuiltStage, IntakePaths } from './stage.js'
import { NO_TAPS, type Tap } from './taps.js'
import type { TargetStates } from './target-state.js'
import { Traffic } from './traffic.js'

/** The parts of the process that its pipelines use. */
export interface PipelineDeps extends DeliveryDeps {
  /** Without it, every pipeline runs. */
  readonly targetStates?: TargetStates
  /** Shown the events of all pipelines. */
  readonly taps?: ReadonlySet<Tap>
  readonly remoteCommit?: RemoteCommit
  /** In the primary process, if there are workers. */
  readonly offloadToWorkers?: OffloadToWorkers
  /** `metrics`: the series that live as long as the pipeline, across its configs. */
  http(pipeline: string, metrics: MetricsRegistry): IntakePaths
  /** The database in the state directory. */
  readonly state: RootDatabase
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
  isRestarted?: (stage: BuiltStage) => boolean,
): Pipeline {
  const { name } = checked
  const ledgerOf = (log: RecordLog | undefined): Ledger =>
    new DurableLedger({
      ...termsOf(checked, log, macOf(checked, deps.recordKey)),
      pipeline: name,
      openStore: (limits) => LedgerStore.open(deps.state, name, limits),
      logger: deps.log({ pipeline: name, stage: 'ledger' }),
      signal: deps.signal,
    })
  return assemblePipeline(config, checked, deps, ledgerOf, running, isRestarted)
}

/** The same with a ledger of the caller. `ledgerOf` receives the log of the sink. */
export function assemblePipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: Omit<PipelineDeps, 'state'>,
  ledgerOf: (log: RecordLog | undefined) => Ledger,
  running?: Pipeline,
  isRestarted: (stage: BuiltStage) => boolean = () => false,
): Pipeline {
  const { settings } = checked
  const metrics = deps.metrics.scope()
  const kept = stagesOf(running).filter((stage) => !isRestarted(stage))
  const delivery = buildDelivery(config, checked, { ...deps, metrics }, kept)
  const { name, revision, mac, transforms, sink, sinkStage, targets } = delivery
  if (sinkStage.built !== running?.stages.sink) sink.expect(targets)
  const lasting = running?.runtime.metrics ?? deps.metrics.scope()
  const source = buildSource(checked, delivery, deps.http(name, lasting), running)
  const runtime = running?.runtime ?? openRuntime(name, ledgerOf(sink.log), lasting, deps)
  const { ledger } = runtime
  const postCommit = settings.postCommit.map((_, index) =>
    buildPostCommit(checked, index, delivery, ledger, deps, running?.stages.postCommit[index]),
  )

  const once = { send: (record: SinkRecord) => ledger.findWritten(record) ?? sink.send(record) }
  showTerms(metrics, name, settings)
  const deadLetters = observeDeadLetters(checked, delivery)
  const decider = buildDecider(checked, delivery, source, deadLetters)
  const log = deps.log({ pipeline: name })
  const traffic = buildTraffic(checked, delivery, metrics, log)
  return {
    name,
    revision,
    log,
    decider,
    committer: {
      ledger,
      send: observeSink(sinkStage.ref, once, sinkStage.observer),
      deadLetter: decider.deadLetter,
      sendDeadLetter: observeSink(deadLetters.ref, once, deadLetters.observer),
      deadLettered: (verdict) => traffic.deadLettered(verdict),
    },
    ledger,
    traffic,
    flushLogs() {
      for (const failures of delivery.failureLogs) failures.flush()
      traffic.flush()
    },
    stages: { source, transforms: transforms.map(({ built }) => built), sink: sinkStage.built, postCommit },
    runtime,
    targets,
    terms: termsOf(checked, sink.log, mac),
    metrics,
    masks: settings.tap.mask.map((path) => pointer(path).tokens),
    settings,
  }
}

function buildTraffic(
  { settings, transforms: checkedTransforms }: CheckedPipeline,
  { name, transforms, sinkStage }: Delivery,
  metrics: MetricsRegistry,
  log: Log,
): Traffic {
  const failing = [...transforms, sinkStage].flatMap(({ ref }) =>
    ref.onError === 'dead-letter' ? [ref.stage] : [],
  )
  const routing = transforms.flatMap(({ ref }, index) =>
    settings.deadLetter !== undefined && checkedTransforms[index]?.definition.routes === true
      ? [ref.stage]
      : [],
  )
  return new Traffic(name, { failing, routing }, milliseconds(settings.slowAfter), metrics, log)
}

function termsOf({ settings }: CheckedPipeline, log: RecordLog | undefined, mac: RecordMac): LedgerTerms {
  const { redelivery, maxPending, postCommit } = settings
  const window = milliseconds(redelivery.window)
  return {
    log,
    mac,
    by: redelivery.by,
    window,
    entries: redelivery.entries,
    maxPending,
    stages: postCommit.length,
  }
}

function buildSource(
  checked: CheckedPipeline,
  { stageDeps }: Delivery,
  paths: IntakePaths,
  running: Pipeline | undefined,
): BuiltSource {
  const built = buildSourceStage(checked, stageDeps, paths)
  if (built === running?.stages.source) return running.stages.source
  return { ...built, paths, intake: { current: undefined, barrier: undefined } }
}

/**
 * Reuses the acknowledger if its retry and rate settings are unchanged, so that the rate limit that it has learned survives
 * a reload.
 */
function buildPostCommit(
  checked: CheckedPipeline,
  index: number,
  { stageDeps, name }: Delivery,
  ledger: Ledger,
  { offloadToWorkers }: Pick<PipelineDeps, 'offloadToWorkers'>,
  before: BuiltPostCommit | undefined,
): BuiltPostCommit {
  const settings = checked.settings.postCommit[index] as PipelineConfig['postCommit'][number]
  const stage = buildPostCommitStage(checked, index, stageDeps)
  const { plugin } = stage
  if (stage === before?.stage && isDeepStrictEqual(engineOf(settings), engineOf(before.settings)))
    return before
  const metrics = stageDeps.metrics.scope()
  const ref = { pipeline: name, stage: stage.name, plugin, onError: 'reject' } as const
  const observer = { metrics, log: stage.log, failures: new FailureLog(stage.log) }
  const instance = offloadToWorkers?.(name, index, stage.instance) ?? stage.instance
  const acknowledger = new Acknowledger({ index, ref, observer, instance, ledger, settings })
  return { stage, settings, acknowledger, metrics }
}

const engineOf = ({ concurrency, rate, retry }: PipelineConfig['postCommit'][number]) => ({
  concurrency,
  rate,
  retry,
})

/** Shows the limits that the gauges of the ledger are read against. */
function showTerms(
  metrics: MetricsScope,
  pipeline: string,
  { maxPending, redelivery, postCommit }: PipelineConfig,
): void {
  const limit = postCommit.length === 0 ? undefined : maxPending
  metrics.sampled(METRICS.ledgerPendingLimit, { pipeline }, () => limit)
  metrics.sampled(
    METRICS.ledgerWindowConfiguredSeconds,
    { pipeline },
    () => milliseconds(redelivery.window) / 1000,
  )
}

function openRuntime(
  pipeline: string,
  ledger: Ledger,
  metrics: MetricsScope,
  {
    targetStates,
    taps = NO_TAPS,
    remoteCommit,
  }: Pick<PipelineDeps, 'targetStates' | 'taps' | 'remoteCommit'>,
): Runtime {
  const live = new Set<Pipeline>()
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
  sampled(METRICS.ledgerWindowSeconds, ({ dedupSpan }) => dedupSpan / 1000)
  sampled(METRICS.ledgerReplacedPartitions, ({ replacedPartitions }) => replacedPartitions)
  sampled(METRICS.ledgerSameIdOtherBytes, ({ sameIdOtherBytes }) => sameIdOtherBytes)
  sampled(METRICS.ledgerUnprovenRecords, ({ unprovenRecords }) => unprovenRecords)
  metrics.sampled(METRICS.inflightEvents, { pipeline }, () =>
    [...live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0),
  )
  const targetState = targetStates?.of(pipeline) ?? 'RUNNING'
  const runtime: Runtime = { ledger, live, metrics, targetState, taps, remoteCommit }
  metrics.sampled(METRICS.pipelinePaused, { pipeline }, () => (runtime.targetState === 'RUNNING' ? 0 : 1))
  return runtime
}
