import { isDeepStrictEqual } from 'node:util'
import type { PipelineConfig } from '../../config/schema.js'
import type { PlacedTarget } from '../../contract/index.js'
import type { StageAfter } from '../../ledger/rows.js'
import { type Part, startOrder } from '../lifecycle.js'
import { type Pipeline, stagesOf } from '../pipeline.js'

/** A part of a pipeline and its fate in a reload: added parts are started, removed ones are stopped. */
export interface PartChange {
  readonly part: Part
  readonly fate: 'kept' | 'added' | 'removed'
}

/** A pipeline under the config that runs and under the next one. `steps`: the parts of both, in start order. */
export type PipelineChange = Added | Replaced | Removed

interface Change {
  readonly name: string
  readonly steps: readonly (readonly PartChange[])[]
  /** For logs and the response to a reload, as `orders: transform.1.route`; empty if nothing is different. */
  readonly differences: readonly string[]
}

export interface Added extends Change {
  readonly kind: 'added'
  readonly next: Pipeline
}

export interface Replaced extends Change {
  readonly kind: 'replaced'
  readonly running: Pipeline
  readonly next: Pipeline
  readonly hasOtherSink: boolean
  /** The next config can write to targets that the running one cannot. */
  readonly hasNewTargets: boolean
}

export interface Removed extends Change {
  readonly kind: 'removed'
  readonly running: Pipeline
}

export const added = (next: Pipeline): Added => ({
  kind: 'added',
  name: next.name,
  next,
  steps: startOrder(next).map((step) => step.map((part) => ({ part, fate: 'added' }))),
  differences: [`${next.name}: new`],
})

export const removed = (running: Pipeline): Removed => ({
  kind: 'removed',
  name: running.name,
  running,
  steps: startOrder(running).map((step) => step.map((part) => ({ part, fate: 'removed' }))),
  differences: [`${running.name}: gone`],
})

export function replaced(running: Pipeline, next: Pipeline): Replaced {
  const { name } = next
  const before = startOrder(running)
  const steps = startOrder(next).map((parts, index): PartChange[] => {
    const old = before[index] ?? []
    const isIn = ({ subject }: Part, others: readonly Part[]) =>
      others.some((each) => each.subject === subject)
    return [
      ...parts.map((part): PartChange => ({ part, fate: isIn(part, old) ? 'kept' : 'added' })),
      ...old.flatMap((part): PartChange[] => (isIn(part, parts) ? [] : [{ part, fate: 'removed' }])),
    ]
  })
  const targets = new Set(running.targets.map(nameOfTarget))
  return {
    kind: 'replaced',
    name,
    running,
    next,
    steps,
    hasOtherSink: running.stages.sink !== next.stages.sink,
    hasNewTargets: next.targets.some((target) => !targets.has(nameOfTarget(target))),
    differences: differencesOf(running, next).map((difference) => `${name}: ${difference}`),
  }
}

/** The parts of a change with this fate, in start order. */
export const partsOf = ({ steps }: PipelineChange, fate: PartChange['fate']): readonly (readonly Part[])[] =>
  steps.map((step) => step.flatMap((each) => (each.fate === fate ? [each.part] : [])))

export const nextOf = (changes: readonly PipelineChange[]): Pipeline[] =>
  changes.flatMap((change) => (change.kind === 'removed' ? [] : [change.next]))

export const nameOfTarget = ({ target }: PlacedTarget): string => `${target.topic} ${target.partition ?? ''}`

function differencesOf(running: Pipeline, next: Pipeline): string[] {
  const kept = new Set(stagesOf(running).filter((stage) => stagesOf(next).includes(stage)))
  const names = [...stagesOf(running), ...stagesOf(next)].flatMap((stage) =>
    kept.has(stage) ? [] : [stage.name],
  )
  const before = running.settings
  const after = next.settings
  for (const [index, { name }] of next.stages.transforms.entries())
    if (before.transforms[index]?.onError !== after.transforms[index]?.onError) names.push(name)
  if (before.sink.onError !== after.sink.onError) names.push(next.stages.sink.name)
  for (const [index, { stage, acknowledger }] of next.stages.postCommit.entries())
    if (running.stages.postCommit[index]?.acknowledger !== acknowledger) names.push(stage.name)
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
