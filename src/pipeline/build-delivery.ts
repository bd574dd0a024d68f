import {
  type CheckedPipeline,
  deadLetterTargets,
  inboxTargets,
  routedTargets,
} from '../config/checked-pipeline.js'
import { formatLocation } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import type { LocatedTarget, Log, Sink, Transform } from '../contract/index.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import type { OnError, StageRef } from './decision.js'
import { FailureLog } from './event-log.js'
import { type Apply, type Observer, observeTransform } from './observe.js'
import { macOf, type RecordMac } from './record-mac.js'
import { createShared, type Shared } from './shared.js'
import { type BuiltStage, buildStage, type StageDeps } from './stage.js'

/** The parts of the process that stages use. */
export interface DeliveryDeps {
  readonly metrics: MetricsRegistry
  /** A log with these fields on every line. */
  log(fields: { readonly [name: string]: string }): Log
  /** Aborted when the shutdown no longer waits for anything. */
  readonly signal: AbortSignal
  /** Connections that several sinks share; without it, each sink has its own. */
  readonly shared?: Shared
  /** The keys of all pipelines derive from it; without it, each derives from the secrets of its pipeline. */
  readonly recordKey?: string | undefined
}

/** A stage, with the metrics and the log of its events. */
export interface Observed {
  readonly ref: StageRef
  readonly observer: Observer
}

/** The part of a pipeline that makes a record of an event and writes it. A replay of dead letters uses only this part. */
export interface Delivery {
  readonly name: string
  readonly revision: string
  readonly mac: RecordMac
  /** Proves dead letters. Undefined without HEADGATE_RECORD_KEY_FILE: the key would change with the secrets of the pipeline. */
  readonly proof: RecordMac | undefined
  readonly transforms: readonly {
    readonly ref: StageRef
    readonly instance: Transform
    readonly apply: Apply
    readonly built: BuiltStage<'transform'>
  }[]
  readonly sink: Sink
  readonly sinkStage: Observed & { readonly built: BuiltStage<'sink'> }
  /** Every topic and partition that it can write to, with its location in the file; the one for dead letters is the last. */
  readonly targets: readonly LocatedTarget[]
  /** For further stages of this pipeline. */
  readonly stageDeps: StageDeps
  observe(name: string, plugin: string, onError?: OnError): Observed
  /** Of all observed stages; flushed after the last event. */
  readonly failureLogs: readonly FailureLog[]
}

/**
 * Builds the transforms and the sink of a checked pipeline. Pure. The caller has to call `expect` of the sink before it starts
 * the sink. `kept`: the running stages; one that is configured the same is reused.
 */
export function buildDelivery(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: DeliveryDeps,
  kept: readonly BuiltStage[] = [],
): Delivery {
  const { name, settings } = checked
  const { metrics, log, signal } = deps
  const { files, revision } = config
  const stageDeps: StageDeps = { pipeline: name, metrics, files, signal, log, kept }
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
    const built = buildStage(`transform.${index}.${plugin}`, transform, stageDeps, {})
    const { ref, observer } = observe(built.name, plugin, settings.transforms[index]?.onError)
    const { instance } = built
    return { ref, instance, apply: observeTransform(ref, instance, observer), built }
  })

  const mac = macOf(checked, deps.recordKey)
  const { name: sinkName } = checked.sink.definition
  const { shared = createShared(deps) } = deps
  const built = buildStage(`sink.${sinkName}`, checked.sink, stageDeps, {
    share: (key, create) => shared.lease(sinkName, key, checked.sink.sharedAs ?? name, create),
    hasInbox: settings.inbox !== undefined,
  })
  return {
    name,
    revision,
    mac,
    proof: deps.recordKey === undefined ? undefined : mac,
    transforms,
    sink: built.instance,
    sinkStage: { ...observe(built.name, sinkName, settings.sink.onError), built },
    targets: targetsOf(config, checked),
    stageDeps,
    failureLogs,
    observe,
  }
}

const targetsOf = ({ locationOf }: CheckedConfig, checked: CheckedPipeline): LocatedTarget[] =>
  [...inboxTargets(checked), ...routedTargets(checked), ...deadLetterTargets(checked)].map(
    ({ at, target }) => ({ target, location: formatLocation(locationOf(at)) }),
  )
