import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import type { PipelineConfig } from '../config/schema.js'
import type { Log } from '../contract/index.js'
import { milliseconds } from '../lib/units.js'
import type { MetricsRegistry, MetricsScope } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { buildDecider, buildStages, observeDeadLetters } from './build-decider.js'
import { buildDelivery, type Delivery, type DeliveryDeps, type Observed } from './build-delivery.js'
import {
  type BuiltSource,
  type Decider,
  type LivePipeline,
  type Runtime,
  type Stages,
  stagesOf,
} from './pipeline.js'
import type { BuiltStage, IntakePaths } from './stage.js'
import type { TargetStates } from './target-state.js'
import { Traffic } from './traffic.js'

/** The parts of a process that its pipelines use, in the primary process and in workers. */
export interface IntakeDeps extends DeliveryDeps {
  /** Without it, every pipeline runs. */
  readonly targetStates?: TargetStates
  /** Whether somebody watches events with a tap. */
  readonly isWatched?: () => boolean
  /** `metrics`: the series that live as long as the pipeline, across its configs. */
  http(pipeline: string, metrics: MetricsRegistry): IntakePaths
}

/** The part of a pipeline that is the same in the primary process and in workers, and what the rest is built from. */
export interface BuiltIntake {
  readonly intake: {
    readonly name: string
    readonly settings: PipelineConfig
    readonly decider: Decider
    readonly stages: Stages & { readonly source: BuiltSource }
    readonly traffic: Traffic
    readonly runtime: Runtime
    readonly metrics: MetricsScope
    flushLogs(): void
  }
  readonly delivery: Delivery
  readonly deadLetters: Observed
  readonly log: Log
}

/** `running`: the same pipeline under the config so far, whose stages are kept unless `isRestarted` is true for them. */
export function buildIntake(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: IntakeDeps,
  running: LivePipeline | undefined,
  isRestarted: (stage: BuiltStage) => boolean,
): BuiltIntake {
  const { name, settings } = checked
  const metrics = deps.metrics.scope()
  const kept = stagesOf(running).filter((stage) => !isRestarted(stage))
  const delivery = buildDelivery(config, checked, { ...deps, metrics }, kept)
  const runtime = running?.runtime ?? openRuntime(name, deps)
  const paths = deps.http(name, runtime.metrics)
  const built = buildStages(checked, delivery, paths)
  const stages = { ...built, source: takingSource(built.source, paths, running) }
  const deadLetters = observeDeadLetters(checked, delivery)
  const decider = buildDecider(checked, delivery, stages.source, deadLetters)
  const { definition, config: sourceConfig } = checked.source
  const limit = definition.maxInFlight?.(sourceConfig)
  metrics.sampled(METRICS.inflightEventsLimit, { pipeline: name }, () => limit)
  const log = deps.log({ pipeline: name })
  const traffic = buildTraffic(checked, delivery, metrics, log, deps.isWatched ?? (() => false))
  const flushLogs = () => {
    for (const failures of delivery.failureLogs) failures.flush()
    traffic.flush()
  }
  return {
    intake: { name, settings, decider, stages, traffic, runtime, metrics, flushLogs },
    delivery,
    deadLetters,
    log,
  }
}

/** A kept source continues with its paths, and its events go to the pipeline that is current. */
function takingSource(
  built: BuiltStage<'source'>,
  paths: IntakePaths,
  running: LivePipeline | undefined,
): BuiltSource {
  if (built === running?.stages.source) return running.stages.source
  return { ...built, paths, intake: { current: undefined, barrier: undefined } }
}

function buildTraffic(
  { settings, transforms: checkedTransforms }: CheckedPipeline,
  { name, transforms, sinkStage }: Delivery,
  metrics: MetricsRegistry,
  log: Log,
  isWatched: () => boolean,
): Traffic {
  const failing = [...transforms, sinkStage].flatMap(({ ref }) =>
    ref.onError === 'dead-letter' ? [ref.stage] : [],
  )
  const routing = transforms.flatMap(({ ref }, index) =>
    settings.deadLetter !== undefined && checkedTransforms[index]?.definition.routes === true
      ? [ref.stage]
      : [],
  )
  const usual = { failing, routing, hasInbox: settings.inbox !== undefined }
  return new Traffic(name, usual, milliseconds(settings.slowAfter), metrics, log, isWatched)
}

function openRuntime(pipeline: string, { targetStates, ...deps }: IntakeDeps): Runtime {
  const metrics = deps.metrics.scope()
  const live = new Set<LivePipeline>()
  metrics.sampled(METRICS.inflightEvents, { pipeline }, () =>
    [...live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0),
  )
  const runtime: Runtime = { live, metrics, targetState: targetStates?.of(pipeline) ?? 'RUNNING' }
  metrics.sampled(METRICS.pipelinePaused, { pipeline }, () => (runtime.targetState === 'RUNNING' ? 0 : 1))
  return runtime
}
