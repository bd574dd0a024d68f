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
import { buildDelivery, type Delivery, type DeliveryDeps } from './build-delivery.js'
import { FailureLog } from './event-log.js'
import { DEAD_LETTER_STAGE, observeRecord, observeSink, observeSource } from './observe.js'
import {
  type BuiltPostCommit,
  type BuiltSource,
  type MakeDeadLetter,
  type OffloadToWorkers,
  type Pipeline,
  type RemoteCommit,
  type Runtime,
  stagesOf,
} from './pipeline.js'
import { macOf, type RecordMac } from './record-mac.js'
import { deadLetterRecord, eventRecord } from './records.js'
import { type BuiltStage, buildStage, type IntakePaths } from './stage.js'
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
  const { name, revision, mac, transforms, sink, sinkStage, targets, observe } = delivery
  if (sinkStage.built !== running?.stages.sink) sink.expect(targets)
  const lasting = running?.runtime.metrics ?? deps.metrics.scope()
  const source = buildSource(checked, delivery, deps.http(name, lasting), running)
  const sourceStage = observe(source.name, source.plugin)
  const runtime = running?.runtime ?? openRuntime(name, ledgerOf(sink.log), lasting, deps)
  const { ledger } = runtime
  const postCommit = settings.postCommit.map((_, index) =>
    buildPostCommit(checked, index, delivery, ledger, deps, running?.stages.postCommit[index]),
  )

  const once = { send: (record: SinkRecord) => ledger.findWritten(record) ?? sink.send(record) }
  showTerms(metrics, name, settings)
  const { deadLetter: letterTarget } = settings
  const deadLetters = observe(DEAD_LETTER_STAGE, checked.sink.definition.name)
  const log = deps.log({ pipeline: name })
  const traffic = buildTraffic(checked, delivery, metrics, log)
  const origin = { name, revision, mac, sink }
  const makeRecord = observeRecord(sinkStage.ref, sinkStage.observer)
  const makeLetter = observeRecord(deadLetters.ref, deadLetters.observer)
  const deadLetter: MakeDeadLetter | undefined =
    letterTarget &&
    ((event, digest, failed, context) =>
      makeLetter(event, () => deadLetterRecord(origin, letterTarget, event, digest, failed), context))
  return {
    name,
    revision,
    log,
    decider: {
      receive: observeSource(sourceStage.ref, sourceStage.observer),
      transforms: transforms.map(({ apply }) => apply),
      record: (event, digest, context) =>
        makeRecord(event, () => eventRecord(origin, event, digest), context),
      deadLetter,
    },
    committer: {
      ledger,
      send: observeSink(sinkStage.ref, once, sinkStage.observer),
      deadLetter,
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
  { source }: CheckedPipeline,
  { stageDeps }: Delivery,
  paths: IntakePaths,
  running: Pipeline | undefined,
): BuiltSource {
  const built = buildStage(`source.${source.definition.name}`, source, stageDeps, { http: paths })
  if (built === running?.stages.source) return running.stages.source
  return { ...built, paths, intake: { current: undefined, barrier: undefined } }
}

/**
 * Reuses the acknowledger if its retry and rate settings are unchanged, so that the rate limit that it has learned survives
 * a reload.
 */
function buildPostCommit(
  { postCommit, settings }: CheckedPipeline,
  index: number,
  { stageDeps, name }: Delivery,
  ledger: Ledger,
  { offloadToWorkers }: Pick<PipelineDeps, 'offloadToWorkers'>,
  before: BuiltPostCommit | undefined,
): BuiltPostCommit {
  const checked = postCommit[index] as CheckedPipeline['postCommit'][number]
  const stageSettings = settings.postCommit[index] as PipelineConfig['postCommit'][number]
  const plugin = checked.definition.name
  const stage = buildStage(`post-commit.${index}.${plugin}`, checked, stageDeps, {})
  if (stage === before?.stage && isDeepStrictEqual(engineOf(stageSettings), engineOf(before.settings)))
    return before
  const metrics = stageDeps.metrics.scope()
  const ref = { pipeline: name, stage: stage.name, plugin, onError: 'reject' } as const
  const observer = { metrics, log: stage.log, failures: new FailureLog(stage.log) }
  const instance = offloadToWorkers?.(name, index, stage.instance) ?? stage.instance
  const acknowledger = new Acknowledger({ index, ref, observer, instance, ledger, settings: stageSettings })
  return { stage, settings: stageSettings, acknowledger, metrics }
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
