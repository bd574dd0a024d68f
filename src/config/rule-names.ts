import type { CheckedPipeline } from './check.js'

/** The names of all rules that can decide on an event of a pipeline, in the order of the file. */
export const ruleNames = ({ transforms }: CheckedPipeline): string[] =>
  transforms.flatMap(({ definition, config }) => [...(definition.rules?.(config) ?? [])])
