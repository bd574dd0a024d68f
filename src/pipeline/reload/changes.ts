import { isDeepStrictEqual } from 'node:util'
import type { PipelineConfig } from '../../config/schema.js'
import type { StageAfter } from '../../ledger/rows.js'
import { type Part, partsInSteps } from '../lifecycle.js'
import { type LivePipeline, type PrimaryPipeline, stagesOf } from '../pipeline.js'

/** A part of a pipeline and its fate in a reload: added parts are started, removed ones are stopped. */
export interface PartChange {
  readonly part: Part
  readonly fate: 'kept' | 'added' | 'removed'
}

/** A pipeline under the config that runs and under the next one. `steps`: the parts of both, in start order. */
export type PipelineChange<P extends LivePipeline = LivePipeline> = Added<P> | Replaced<P> | Removed<P>

interface Change {
  readonly name: string
  readonly steps: readonly (readonly PartChange[])[]
}

export interface Added<P extends LivePipeline = LivePipeline> extends Change {
  readonly kind: 'added'
  readonly next: P
}

export interface Replaced<P extends LivePipeline = LivePipeline> extends Change {
  readonly kind: 'replaced'
  readonly running: P
  readonly next: P
  readonly hasOtherSink: boolean
}

export interface Removed<P extends LivePipeline = LivePipeline> extends Change {
  readonly kind: 'removed'
  readonly running: P
}

/** `running`: the pipelines under the config so far; those that the next one does not have come last. */
export function changesOf<P extends LivePipeline>(
  running: readonly P[],
  next: readonly P[],
): PipelineChange<P>[] {
  const byName = new Map(running.map((pipeline) => [pipeline.name, pipeline]))
  const changes = next.map((pipeline): PipelineChange<P> => {
    const before = byName.get(pipeline.name)
    byName.delete(pipeline.name)
    return before === undefined ? added(pipeline) : replaced(before, pipeline)
  })
  return [...changes, ...[...byName.values()].map((pipeline) => removed(pipeline))]
}

export const added = <P extends LivePipeline>(next: P): Added<P> => ({
  kind: 'added',
  name: next.name,
  next,
  steps: partsInSteps(next).map((step) => step.map((part) => ({ part, fate: 'added' }))),
})

export const removed = <P extends LivePipeline>(running: P): Removed<P> => ({
  kind: 'removed',
  name: running.name,
  running,
  steps: partsInSteps(running).map((step) => step.map((part) => ({ part, fate: 'removed' }))),
})

export function replaced<P extends LivePipeline>(running: P, next: P): Replaced<P> {
  const before = partsInSteps(running)
  const steps = partsInSteps(next).map((parts, index): PartChange[] => {
    const old = before[index] ?? []
    const isIn = ({ subject }: Part, others: readonly Part[]) =>
      others.some((each) => each.subject === subject)
    return [
      ...parts.map((part): PartChange => ({ part, fate: isIn(part, old) ? 'kept' : 'added' })),
      ...old.flatMap((part): PartChange[] => (isIn(part, parts) ? [] : [{ part, fate: 'removed' }])),
    ]
  })
  const hasOtherSink = running.stages.sink !== next.stages.sink
  return { kind: 'replaced', name: next.name, running, next, steps, hasOtherSink }
}

/** The parts of a change with this fate, in start order. */
export const partsOf = ({ steps }: PipelineChange, fate: PartChange['fate']): readonly (readonly Part[])[] =>
  steps.map((step) => step.flatMap((each) => (each.fate === fate ? [each.part] : [])))

/** For logs and the response to a reload, as `orders: transform.1.route`; empty if nothing is different. */
export function differencesOf(change: PipelineChange<PrimaryPipeline>): readonly string[] {
  const { name } = change
  if (change.kind === 'added') return [`${name}: new`]
  if (change.kind === 'removed') return [`${name}: gone`]
  return changedStages(change).map((stage) => `${name}: ${stage}`)
}

function changedStages({ running, next }: Replaced<PrimaryPipeline>): string[] {
  const kept = new Set(stagesOf(running).filter((stage) => stagesOf(next).includes(stage)))
  const names = [...stagesOf(running), ...stagesOf(next)].flatMap((stage) =>
    kept.has(stage) ? [] : [stage.name],
  )
  const before = running.settings
  const after = next.settings
  for (const [index, { name }] of next.stages.transforms.entries())
    if (before.transforms[index]?.onError !== after.transforms[index]?.onError) names.push(name)
  if (before.sink.onError !== after.sink.onError) names.push(next.stages.sink.name)
  for (const [index, { name }] of next.stages.postCommit.entries())
    if (running.acknowledgers[index] !== next.acknowledgers[index]) names.push(name)
  if (!isDeepStrictEqual(before.deadLetter, after.deadLetter)) names.push('dead-letter')
  if (!isDeepStrictEqual(ledgerOf(before), ledgerOf(after))) names.push('ledger')
  if (!isDeepStrictEqual(before.tap, after.tap)) names.push('tap')
  return [...new Set(names)]
}

const ledgerOf = ({ redelivery, maxPending }: PipelineConfig) => ({ redelivery, maxPending })

type PostCommitSettings = PipelineConfig['postCommit'][number]

/**
 * The stage at which an acknowledgement that waits for a post-commit stage goes on: the first of the next config's stages
 * that has not made it yet. A stage may make one again, because acknowledgements can be repeated; no stage is left out.
 * Undefined if every acknowledgement stays at its stage.
 *
 * A stage matches the one with the same settings, or else the next one of the same plugin, whose settings were edited.
 */
export function stageAfter(
  running: readonly PostCommitSettings[],
  next: readonly PostCommitSettings[],
): StageAfter | undefined {
  const free = new Set(next.keys())
  const matches = new Map<number, number>()
  const match = (isMatch: (before: PostCommitSettings, after: PostCommitSettings) => boolean): void => {
    for (const [index, before] of running.entries()) {
      if (matches.has(index)) continue
      const found = [...free].find((candidate) => isMatch(before, next[candidate] as PostCommitSettings))
      if (found === undefined) continue
      matches.set(index, found)
      free.delete(found)
    }
  }
  match((before, after) => before.plugin === after.plugin && isDeepStrictEqual(before.config, after.config))
  match((before, after) => before.plugin === after.plugin)
  if (running.length === next.length && running.every((_, index) => matches.get(index) === index)) {
    return undefined
  }
  return (stage) => Math.min(...[...matches].flatMap(([before, after]) => (before >= stage ? [after] : [])))
}
