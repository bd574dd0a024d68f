import { type CheckedPipeline, deadLetterTargets, routedTargets } from '../config/check.js'
import { formatLocation } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import type { Log, PlacedTarget, Sink, Transform } from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import type { OnError, StageRef } from './decision.js'
import { FailureLog } from './event-log.js'
import { type Apply, type Observer, observeTransform } from './observe.js'
import { macOf, type RecordMac } from './record-mac.js'
import { createShared, type Shared } from './shared.js'
import { type BuiltStage, buildStage, type StageSurroundings } from './stage.js'

/** What the process lends to stages. */
export interface DeliverySurroundings {
  readonly metrics: MetricsRegistry
  /** A log with these fields on every line. */
  log(fields: { readonly [name: string]: string }): Log
  /** Aborted when the process no longer waits for anybody. */
  readonly signal: AbortSignal
  /** What several sinks of the process use together; without it, a sink uses everything alone. */
  readonly shared?: Shared
  /** From which the keys of all pipelines are made; without it, each has one made of its own secrets. */
  readonly recordKey?: string | undefined
}

/** Where a stage stands, and who counts and logs what becomes of events there. */
export interface Observed {
  readonly ref: StageRef
  readonly observer: Observer
}

/** The part of a pipeline that makes a record of an event and writes it; a dead letter passes it again when it is replayed. */
export interface Delivery {
  readonly name: string
  readonly revision: string
  readonly mac: RecordMac
  readonly transforms: readonly {
    readonly ref: StageRef
    readonly instance: Transform
    readonly apply: Apply
    readonly built: BuiltStage<'transform'>
  }[]
  readonly sink: Sink
  readonly sinkStage: Observed & { readonly built: BuiltStage<'sink'> }
  /** Every topic and partition that it can write to, with its place in the file; the one for dead letters is the last. */
  readonly targets: readonly PlacedTarget[]
  /** For further stages of this pipeline. */
  readonly within: StageSurroundings
  observe(name: string, plugin: string, onError?: OnError): Observed
  /** Those of all stages that are observed, to be flushed when no event comes any more. */
  readonly failureLogs: readonly FailureLog[]
}

/**
 * Puts the transforms and the sink of a checked pipeline together. Pure. Whoever starts the sink tells it its targets.
 * `kept`: the stages that run, of which those stay that the config says the same of.
 */
export function buildDelivery(
  config: CheckedConfig,
  checked: CheckedPipeline,
  surroundings: DeliverySurroundings,
  kept: readonly BuiltStage[] = [],
): Delivery {
  const { name, settings } = checked
  const { metrics, log, signal } = surroundings
  const { files, revision } = config
  const within: StageSurroundings = { pipeline: name, metrics, files, signal, log, kept }
  const failureLogs: FailureLog[] = []
  const observe = (stage: string, plugin: string, onError: OnError = 'reject'): Observed => {
    const stageLog = log({ pipeline: name, stage })
    const failures = new FailureLog(stageLog)
    failureLogs.push(failures)
    return {
      ref: { pipeline: name, stage, plugin, onError },
      observer: { metrics, log: stageLog, failures },
    }
  }

  const transforms = checked.transforms.map((transform, index) => {
    const plugin = transform.definition.name
    const built = buildStage(`transform.${index}.${plugin}`, transform, within, {})
    const { ref, observer } = observe(built.name, plugin, settings.transforms[index]?.onError)
    const { instance } = built
    return { ref, instance, apply: observeTransform(ref, instance, observer), built }
  })

  const { name: sinkName } = checked.sink.definition
  const { shared = createShared(surroundings) } = surroundings
  const built = buildStage(`sink.${sinkName}`, checked.sink, within, {
    share: (key, create) => shared.lease(sinkName, key, checked.sink.sharedAs ?? name, create),
  })
  return {
    name,
    revision,
    mac: macOf(checked, surroundings.recordKey),
    transforms,
    sink: built.instance,
    sinkStage: { ...observe(built.name, sinkName, settings.sink.onError), built },
    targets: targetsOf(config, checked),
    within,
    failureLogs,
    observe,
  }
}

const targetsOf = ({ locationOf }: CheckedConfig, checked: CheckedPipeline): PlacedTarget[] =>
  [...routedTargets(checked), ...deadLetterTargets(checked)].map(({ at, target }) => ({
    target,
    place: formatLocation(locationOf(at)),
  }))
