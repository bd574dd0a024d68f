import {
  type CheckedPipeline,
  type CheckedStage,
  deadLetterTargets,
  inboxTargets,
  routedTargets,
} from '../config/checked-pipeline.js'
import type { TopicNeed } from '../contract/index.js'
import { milliseconds } from '../lib/units.js'

/** The topics that pipelines with the same cluster need. */
export interface ClusterNeeds {
  /** One of the pipelines with this cluster. */
  readonly sink: CheckedStage<'sink'>
  readonly pipelines: readonly string[]
  readonly needs: readonly TopicNeed[]
}

/** All topics that a config names, targets and dead letters, by cluster. A sink that cannot administer topics has none. */
export function topicNeeds(pipelines: readonly CheckedPipeline[]): readonly ClusterNeeds[] {
  const clusters = new Map<string, CheckedPipeline[]>()
  for (const pipeline of pipelines) {
    const { definition, config } = pipeline.sink
    const key = definition.topics?.cluster(config)
    if (key === undefined) continue
    const named = `${definition.name} ${key}`
    clusters.set(named, [...(clusters.get(named) ?? []), pipeline])
  }
  return [...clusters.values()].flatMap((members) => {
    const [first] = members
    return first === undefined
      ? []
      : [{ sink: first.sink, pipelines: members.map(({ name }) => name), needs: needsOf(members) }]
  })
}

function needsOf(pipelines: readonly CheckedPipeline[]): TopicNeed[] {
  const targets = pipelines.flatMap((pipeline) => [
    ...routedTargets(pipeline),
    ...deadLetterTargets(pipeline),
  ])
  const needs = new Map<string, TopicNeed>()
  for (const pipeline of pipelines)
    for (const { target } of inboxTargets(pipeline)) {
      const redeliveryWindow = milliseconds(pipeline.settings.redelivery.window)
      needs.set(target.topic, { topic: target.topic, partitions: undefined, byKey: true, redeliveryWindow })
    }
  for (const { target } of targets) {
    const { topic, partition } = target
    const before = needs.get(topic)
    const count = Math.max(before?.partitions ?? 0, partition === undefined ? 0 : partition + 1)
    needs.set(topic, {
      ...before,
      topic,
      partitions: count === 0 ? undefined : count,
      byKey: before?.byKey === true || partition === undefined,
    })
  }
  return [...needs.values()]
}
