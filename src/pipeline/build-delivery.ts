import type { TSchema } from 'typebox'
import type {
  Context,
  Definition,
  Kind,
  KindTypes,
  Log,
  PlacedTarget,
  Sink,
  Target,
  Transform,
} from '../plugin.js'
import type { CheckedPipeline, CheckedStage } from './config/check.js'
import { formatPlace } from './config/problem.js'
import type { CheckedConfig } from './config/read.js'
import { type MetricsRegistry, pluginMetrics } from './metrics.js'
import { type Apply, type Observer, type OnError, observeTransform, type StagePlace } from './observe.js'

/** What the process lends to stages. */
export interface DeliverySurroundings {
  readonly metrics: MetricsRegistry
  /** A log with these fields on every line. */
  log(fields: { readonly [name: string]: string }): Log
  /** Aborted when the process no longer waits for anybody. */
  readonly signal: AbortSignal
}

/** A stage before its plugin is there: its name, its log and metrics, and what its plugin is given. */
export interface Stage {
  readonly place: StagePlace
  readonly observer: Observer
  readonly context: Context
}

/** The part of a pipeline that makes a record of an event and writes it; a dead letter passes it again when it is replayed. */
export interface Delivery {
  readonly name: string
  readonly revision: string
  readonly transforms: readonly {
    readonly place: StagePlace
    readonly instance: Transform
    readonly apply: Apply
  }[]
  readonly sink: Sink
  readonly sinkStage: Stage
  /** Every topic and partition that it can write to, with its place in the file; the one for dead letters is the last. */
  readonly targets: readonly PlacedTarget[]
  /** Makes another stage of this pipeline. */
  stage(name: string, plugin: string, onError?: OnError): Stage
}

/** Puts the transforms and the sink of a checked pipeline together. Pure. Whoever starts the sink tells it its targets. */
export function buildDelivery(
  config: CheckedConfig,
  checked: CheckedPipeline,
  surroundings: DeliverySurroundings,
): Delivery {
  const { name, settings } = checked
  const { metrics, signal } = surroundings
  const { files, revision } = config
  const stage = (stageName: string, plugin: string, onError: OnError = 'reject'): Stage => {
    const log = surroundings.log({ pipeline: name, stage: stageName })
    return {
      place: { pipeline: name, stage: stageName, plugin, onError },
      observer: { metrics, log },
      context: { pipeline: name, log, metrics: pluginMetrics(metrics, name), files, signal },
    }
  }

  const transforms = checked.transforms.map((transform, index) => {
    const plugin = transform.definition.name
    const { place, observer, context } = stage(
      `transform.${index}.${plugin}`,
      plugin,
      settings.transforms[index]?.onError,
    )
    const instance = create(transform, context)
    return { place, instance, apply: observeTransform(place, instance, observer) }
  })

  const { name: sinkName } = checked.sink.definition
  const sinkStage = stage(`sink.${sinkName}`, sinkName, settings.sink.onError)
  const sink = create(checked.sink, sinkStage.context)
  const instances = transforms.map(({ instance }) => instance)
  return {
    name,
    revision,
    transforms,
    sink,
    sinkStage,
    targets: targetsOf(config, checked, instances),
    stage,
  }
}

export const create = <K extends Kind>(
  { definition, config }: CheckedStage<K>,
  context: KindTypes[K]['context'],
): KindTypes[K]['instance'] => (definition as Definition<K, TSchema>).create(config, context)

function targetsOf(
  { placeOf }: CheckedConfig,
  { name, transforms, settings }: CheckedPipeline,
  instances: readonly Transform[],
): PlacedTarget[] {
  const placed = (target: Target, pointer: string) => ({ target, place: formatPlace(placeOf(pointer)) })
  const routed = instances.flatMap(({ targets = [] }, index) =>
    targets.map(({ at, target }) => placed(target, `${transforms[index]?.pointer}/config${at}`)),
  )
  return settings.deadLetter === undefined
    ? routed
    : [...routed, placed(settings.deadLetter, `/pipelines/${name}/deadLetter`)]
}
