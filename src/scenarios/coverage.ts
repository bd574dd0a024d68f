import type { CheckedConfig } from '../config/read.js'
import type { DryRun, DryRunResult } from '../dry-run/dry-run.js'

/** A rule or dead letter that events can lead to, and how many scenarios do. */
export interface CoveredWay {
  readonly pipeline: string
  /** A rule, or a stage that turns bad data into dead letters. */
  readonly way: { readonly kind: 'rule' | 'dead-letter'; readonly name: string }
  /** Number of events of scenarios. */
  readonly count: number
}

/** All that the config has: each rule, `otherwise`, and each stage with `"onError": "dead-letter"`. */
export function coverage(
  { pipelines }: CheckedConfig,
  dryRun: Pick<DryRun, 'rules'>,
  runs: readonly DryRunResult[],
): CoveredWay[] {
  return pipelines.flatMap(({ name: pipeline, settings, transforms, sink }) => {
    const own = runs
      .filter((run) => run.pipeline === pipeline)
      .flatMap((run): readonly DryRunResult[] => run.items ?? [run])
    const routes = own.map(({ route }) => route)
    const deadLetterStages = own.map(
      ({ steps }) => steps.find(({ decision }) => decision === 'dead-letter')?.stage,
    )
    const count = (names: readonly (string | undefined)[], name: string) =>
      names.filter((reached) => reached === name).length
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
          count: count(deadLetterStages, name),
        })),
    ]
  })
}

/** A sentence: `Rule eu-west of cxone-data-actions never matched in any scenario.` */
export const neverTaken = ({ pipeline, way: { kind, name } }: CoveredWay): string =>
  kind === 'rule'
    ? `Rule ${name} of ${pipeline} never matched in any scenario.`
    : `No scenario of ${pipeline} has a dead letter from ${name}.`
