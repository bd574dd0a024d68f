import type { Target } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import type { CheckedPipeline } from './check.js'

/** A target that a config names, and the JSON Pointer of the place. */
export interface RoutedTarget {
  readonly at: string
  readonly target: Target
}

/** Everywhere that the rules of a pipeline can send an event, in the order of the file. */
export const routedTargets = ({ transforms }: CheckedPipeline): RoutedTarget[] =>
  transforms.flatMap(({ definition, config, pointer }) =>
    (definition.targets?.(config) ?? []).map(({ at, target }) => ({ target, at: `${pointer}/config${at}` })),
  )

/** Where the dead letters of a pipeline go; empty where it has none. */
export const deadLetterTargets = ({ name, settings: { deadLetter } }: CheckedPipeline): RoutedTarget[] =>
  deadLetter === undefined ? [] : [{ target: deadLetter, at: `${child('/pipelines', name)}/deadLetter` }]
