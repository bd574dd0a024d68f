import type { PlacedTarget, Sink } from '../../contract/index.js'
import type { Pipeline } from '../pipeline.js'

/** Whether the next config can write where the running one does not. */
export const hasOtherTargets = (running: Pipeline, next: Pipeline): boolean => {
  const known = new Set(running.targets.map(nameOf))
  return next.targets.some((target) => !known.has(nameOf(target)))
}

const nameOf = ({ target }: PlacedTarget): string => `${target.topic} ${target.partition ?? ''}`

/** Those of every config under which events are in flight; the newest place of each. */
export const targetsInUse = (sink: Sink, pipelines: readonly Pipeline[]): PlacedTarget[] => {
  const own = pipelines.filter((pipeline) => pipeline.stages.sink.instance === sink)
  return [...new Map(own.flatMap(({ targets }) => targets.map((at) => [nameOf(at), at]))).values()]
}
