import type { CheckedConfig } from '../config/read.js'
import type { DryRun, DryRunResult } from '../dry-run/dry-run.js'

/** One way that an event can take, and whether any scenario took it. */
export interface CoveredWay {
  readonly pipeline: string
  /** A rule by its name, or a stage whose bad data becomes dead letters. */
  readonly way: { readonly kind: 'rule' | 'dead-letter'; readonly name: string }
  /** How many scenarios took it. */
  readonly count: number
}

/** Every way that the config has: each rule, `otherwise`, and each stage with `"onError": "dead-letter"`. */
export function coverage(
  { pipelines }: CheckedConfig,
  dryRun: Pick<DryRun, 'rules'>,
  runs: readonly DryRunResult[],
): CoveredWay[] {
  return pipelines.flatMap(({ name: pipeline, settings, transforms, sink }) => {
    const own = runs.filter((run) => run.pipeline === pipeline)
    const routes = own.map(({ route }) => route)
    const turnedAway = own.map(({ steps }) => steps.find(({ decision }) => decision === 'dead-letter')?.stage)
    const count = (names: readonly (string | undefined)[], name: string) =>
      names.filter((taken) => taken === name).length
    const stages = [
      ...transforms.map(({ definition }, index) => ({
        name: `transform.${index}.${definition.name}`,
        onError: settings.transforms[index]?.onError,
      })),
      { name: `sink.${sink.definition.name}`, onError: settings.sink.onError },
    ]
    return [
      ...dryRun.rules(pipeline).map((name) => ({
        pipeline,
        way: { kind: 'rule' as const, name },
        count: count(routes, name),
      })),
      ...stages
        .filter(({ onError }) => onError === 'dead-letter')
        .map(({ name }) => ({
          pipeline,
          way: { kind: 'dead-letter' as const, name },
          count: count(turnedAway, name),
        })),
    ]
  })
}

/** For people: `Rule eu-west of cxone-data-actions never matched in any scenario.` */
export const neverTaken = ({ pipeline, way: { kind, name } }: CoveredWay): string =>
  kind === 'rule'
    ? `Rule ${name} of ${pipeline} never matched in any scenario.`
    : `No scenario of ${pipeline} has a dead letter from ${name}.`
