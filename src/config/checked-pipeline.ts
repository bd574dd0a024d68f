import type { TSchema } from 'typebox'
import type { Definition, Kind, Target } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import type { PipelineConfig } from './schema.js'

/** A stage whose settings have been checked, with their defaults filled in. */
export interface CheckedStage<K extends Kind> {
  readonly definition: Definition<K, TSchema>
  readonly config: unknown
  /** JSON Pointer of the stage in the file; its settings are below `config`. For a named sink, its declaration in `sinks`. */
  readonly pointer: string
  /** The name in `sinks`, if the pipeline refers to a sink there. */
  readonly sharedAs?: string
}

export interface CheckedPipeline {
  readonly name: string
  readonly settings: PipelineConfig
  readonly source: CheckedStage<'source'>
  readonly transforms: readonly CheckedStage<'transform'>[]
  readonly sink: CheckedStage<'sink'>
  readonly postCommit: readonly CheckedStage<'post-commit'>[]
}

/** All stages of a pipeline, in the order in which an event passes through them. */
export const stagesOf = ({ source, transforms, sink, postCommit }: CheckedPipeline): CheckedStage<Kind>[] =>
  [source, ...transforms, sink, ...postCommit] as CheckedStage<Kind>[]

/** A target that a config names, and the JSON Pointer of the place. */
export interface RoutedTarget {
  readonly at: string
  readonly target: Target
}

/** All targets of the rules of a pipeline, in the order of the file. */
export const routedTargets = ({ transforms }: CheckedPipeline): RoutedTarget[] =>
  transforms.flatMap(({ definition, config, pointer }) =>
    (definition.targets?.(config) ?? []).map(({ at, target }) => ({ target, at: `${pointer}/config${at}` })),
  )

/** The target of the dead letters of a pipeline; empty if it has none. */
export const deadLetterTargets = ({ name, settings: { deadLetter } }: CheckedPipeline): RoutedTarget[] =>
  deadLetter === undefined ? [] : [{ target: deadLetter, at: `${child('/pipelines', name)}/deadLetter` }]

/** The inbox of a pipeline, as a target; empty if it has none. */
export const inboxTargets = ({ name, settings: { inbox } }: CheckedPipeline): RoutedTarget[] =>
  inbox === undefined ? [] : [{ target: { topic: inbox.topic }, at: `${child('/pipelines', name)}/inbox` }]

/** The names of all rules that can decide on an event of a pipeline, in the order of the file. */
export const ruleNames = ({ transforms }: CheckedPipeline): string[] =>
  transforms.flatMap(({ definition, config }) => (definition.rules?.(config) ?? []).map(({ name }) => name))
