import type { Static, TSchema } from 'typebox'
import type { CheckContext, ConfigProblem, LintContext, LintFinding, LintMeaning } from './checks.js'
import type { Context, SinkContext, SourceContext } from './context.js'
import type { Target } from './event.js'
import type { MetricDeclaration } from './metrics.js'
import type { PostCommit } from './post-commit.js'
import type { ProbeContext, Probed } from './probe.js'
import type { Sink } from './sink.js'
import type { Source } from './source.js'
import type { TopicAdmin } from './topics.js'
import type { Transform } from './transform.js'

export interface KindTypes {
  source: { instance: Source; context: SourceContext }
  transform: { instance: Transform; context: Context }
  sink: { instance: Sink; context: SinkContext }
  'post-commit': { instance: PostCommit; context: Context }
}

export type Kind = keyof KindTypes
export const KINDS = ['source', 'transform', 'sink', 'post-commit'] as const satisfies readonly Kind[]

/** The version of this contract. It rises when a plugin that was written for the one before would no longer work. */
export const CONTRACT = 1

export interface Definition<K extends Kind = Kind, Config extends TSchema = TSchema> {
  /** The version of the contract that the plugin was written for; `definePlugin` fills it in. Another one is refused. */
  readonly contract?: number
  readonly kind: K
  readonly name: string
  /** One sentence, for lists. */
  readonly summary: string
  /** The settings: validation, types, defaults, reference docs and editor schema at once. */
  readonly config: Config
  /** True for a transform that sets `route`: a pipeline needs one. */
  readonly routes?: boolean
  /** Finds what the schema cannot. Called with a config that fits the schema. No I/O but `files`. */
  check?(config: Static<Config>, context: CheckContext): Iterable<ConfigProblem>
  /**
   * Finds what shows only when that is made which the stage would run with, such as a client. Called by `validate` and
   * before a start, with a config in which `check` found nothing; never by the admin API. Connects to nothing, keeps nothing.
   */
  trial?(config: Static<Config>): AsyncIterable<ConfigProblem>
  /** Every metric of the plugin's stages, for the page of metrics. */
  readonly metrics?: readonly MetricDeclaration[]
  /** What `lint` warns of, by name (`rule-never-matches`). A comment in the config silences a warning by its name. */
  readonly lints?: Readonly<{ [name: string]: LintMeaning }>
  /** Finds what is allowed and probably not meant. Called with a config in which `check` found nothing. No I/O but `files`. */
  lint?(config: Static<Config>, context: LintContext): Iterable<LintFinding>
  /** For a source, and a transform that changes nothing: the JSON Schema that every event fits which it lets pass. */
  ensures?(config: Static<Config>, context: CheckContext): unknown
  /**
   * Every target that a routing transform can choose, with its JSON Pointer in the config of the stage, so that it can be
   * checked before the first event.
   */
  targets?(config: Static<Config>): readonly { readonly at: string; readonly target: Target }[]
  /** The names of the rules by which a transform can decide, in their order. */
  rules?(config: Static<Config>): readonly string[]
  /** Names of things that only one stage can have (`POST /webhook/orders`): two stages with one are an error. */
  claims?(config: Static<Config>): readonly { readonly at: string; readonly claim: string }[]
  /** Of a source: bytes of the largest body that it takes. */
  maxBody?(config: Static<Config>): number
  /**
   * Of a source: true for one that does not take its events from the shared listener. With HEADGATE_WORKERS it runs once, in
   * the primary process; all others run in each worker.
   */
  readonly single?: boolean
  /**
   * For `validate --against-cluster`: asks the outside whether a stage with this config would work. It writes and
   * acknowledges nothing, and ends when `signal` is aborted. What it yields before counts.
   */
  probe?(config: Static<Config>, context: ProbeContext): AsyncIterable<Probed>
  /** Of a sink whose topics can be looked at and created: for `headgate topics`. */
  readonly topics?: {
    /** The same text for configs with the same cluster and login. */
    cluster(config: Static<Config>): string
    /** Connects. `timeout`: milliseconds for each question. */
    open(config: Static<Config>, timeout: number): Promise<TopicAdmin>
  }
  /**
   * Of a source: the same settings for senders that need not prove who they are. Only rehearsals (`explain`, `test`) ask
   * for it; a source that lacks it asks its senders there too.
   */
  unverified?(config: Static<Config>): Static<Config>
  /** Pure. Called with a checked config. */
  create(config: Static<Config>, context: KindTypes[K]['context']): KindTypes[K]['instance']
}

/** Declares a plugin: infers its types, and marks it with the contract of the copy of this module that it imported. */
export const definePlugin = <K extends Kind, Config extends TSchema>(
  definition: Definition<K, Config>,
): Definition<K, Config> => ({ contract: CONTRACT, ...definition })

/** Any definition, for lists of plugins: what its config is, only the definition itself knows. */
// biome-ignore lint/suspicious/noExplicitAny: the config is checked against the definition's own schema before use
export type AnyDefinition = { [K in Kind]: Definition<K, any> }[Kind]
