import { isDeepStrictEqual } from 'node:util'
import type { PipelineConfig } from '../../config/schema.js'
import type { StageAfter } from '../../ledger/rows.js'
import { type Pipeline, stagesOf } from '../pipeline.js'

/** What is different under the next config, by the names that logs and metrics have; empty where nothing is. */
export function changesOf(running: Pipeline, next: Pipeline): string[] {
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

type PostCommit = PipelineConfig['postCommit'][number]

/**
 * Where an acknowledgement that waits for a post-commit stage goes on: at the first of the next config's stages that it
 * has still to pass. One that has been there may be told again, for acknowledgements can be repeated; none is left out
 * that is still to be told. Undefined where all stay where they are.
 *
 * A stage is the same as before where it has the same settings; else the one of the same plugin, in their order: it was
 * edited.
 */
export function stageAfter(
  running: readonly PostCommit[],
  next: readonly PostCommit[],
): StageAfter | undefined {
  const free = new Set(next.keys())
  const places = new Map<number, number>()
  const match = (isIt: (before: PostCommit, after: PostCommit) => boolean): void => {
    for (const [index, before] of running.entries()) {
      if (places.has(index)) continue
      const place = [...free].find((place) => isIt(before, next[place] as PostCommit))
      if (place === undefined) continue
      places.set(index, place)
      free.delete(place)
    }
  }
  match((before, after) => before.plugin === after.plugin && isDeepStrictEqual(before.config, after.config))
  match((before, after) => before.plugin === after.plugin)
  if (running.length === next.length && running.every((_, index) => places.get(index) === index)) {
    return undefined
  }
  return (stage) => Math.min(...[...places].flatMap(([before, place]) => (before >= stage ? [place] : [])))
}
