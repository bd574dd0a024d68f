import type { TSchema } from 'typebox'
import type { Context } from './context.js'
import type { PostCommit, PostCommitDefinition } from './post-commit.js'
import type { Sink, SinkContext, SinkDefinition } from './sink.js'
import type { Source, SourceContext, SourceDefinition } from './source.js'
import type { Transform, TransformDefinition } from './transform.js'

export interface KindTypes<Config extends TSchema = TSchema> {
  source: { definition: SourceDefinition<Config>; instance: Source; context: SourceContext }
  transform: { definition: TransformDefinition<Config>; instance: Transform; context: Context }
  sink: { definition: SinkDefinition<Config>; instance: Sink; context: SinkContext }
  'post-commit': { definition: PostCommitDefinition<Config>; instance: PostCommit; context: Context }
}

export type Kind = keyof KindTypes
export const KINDS = ['source', 'transform', 'sink', 'post-commit'] as const satisfies readonly Kind[]

/** The version of this contract. It rises when a plugin that was written for the one before would no longer work. */
export const CONTRACT = 1

/** The definition of a plugin of one kind. */
export type Definition<
  K extends Kind = Kind,
  Config extends TSchema = TSchema,
> = KindTypes<Config>[K]['definition']

/** Any definition, for lists of plugins: only the definition itself knows the type of its config. */
// biome-ignore lint/suspicious/noExplicitAny: the config is checked against the definition's own schema before use
export type AnyDefinition = Definition<Kind, any>

/** Declares a plugin: infers its types, and marks it with the contract of the copy of this module that it imported. */
export const definePlugin = <K extends Kind, Config extends TSchema>(
  definition: { readonly kind: K; readonly config: Config } & Definition<K, Config>,
): Definition<K, Config> => ({ contract: CONTRACT, ...definition })
