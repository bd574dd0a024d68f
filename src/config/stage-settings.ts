import type { AnyDefinition, ExpandedSettings } from '../contract/index.js'
import { checkShape, type ShapeProblem } from './shape.js'

/** The settings of a stage as its plugin gets them. */
export interface StageSettings {
  /** Expanded, with defaults. */
  readonly config: unknown
  /** Violations of the schema, at the places where the settings are written. */
  readonly problems: readonly ShapeProblem[]
  /** The JSON Pointer of the written setting, for one of `config`. */
  writtenAt(pointer: string): string
}

/** Expands the settings of a stage, checks them against the schema of its plugin, and fills in the defaults. */
export function readSettings(
  { presets, config: schema }: Pick<AnyDefinition, 'presets' | 'config'>,
  written: unknown,
): StageSettings {
  const { config, missing, writtenAt } = presets?.expand(written) ?? asItIs(written)
  if (missing.length > 0)
    return { config, problems: missing.map(({ at, ...problem }) => ({ ...problem, pointer: at })), writtenAt }
  const problems = checkShape(schema, config).map((problem) => ({
    ...problem,
    pointer: writtenAt(problem.pointer),
  }))
  return { config, problems, writtenAt }
}

const asItIs = (config: unknown): ExpandedSettings => ({
  config,
  missing: [],
  writtenAt: (pointer) => pointer,
})
