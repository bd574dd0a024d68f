import type { Static, TObject, TProperties, TSchema, TUnsafe } from 'typebox'
import type { Files } from './context.js'
import type { ErrorCode } from './errors.js'
import type { Target } from './event.js'
import type { MetricDeclaration } from './metrics.js'

/** The part of a definition that all four kinds have. */
export interface BaseDefinition<Config extends TSchema = TSchema> {
  /** The version of the contract that the plugin was written for; `definePlugin` fills it in. Headgate refuses any other. */
  readonly contract?: number
  readonly name: string
  /** One sentence, for lists. */
  readonly summary: string
  /** The settings: validation, types, defaults, reference docs and editor schema at once. */
  readonly config: Config
  /** A setting that stands for others. */
  readonly presets?: Presets
  /**
   * Finds problems that the schema cannot express. Called with a config that fits the schema. No I/O but `files`. In a reload it
   * runs in another process than `create`, so that it may take seconds.
   */
  check?(config: Static<Config>, context: CheckContext): Iterable<ConfigProblem>
  /**
   * Finds problems that show only once a client or the like is created with this config. Called by `validate` and before a
   * start, with a config in which `check` found nothing; never by the admin API. Connects to nothing and keeps nothing.
   */
  trial?(config: Static<Config>): AsyncIterable<ConfigProblem>
  /** Every metric of the plugin's stages, for the page of metrics. */
  readonly metrics?: readonly MetricDeclaration[]
  /** The warnings of `lint`, by name (`rule-never-matches`). A comment in the config silences a warning by its name. */
  readonly lints?: Readonly<{ [name: string]: LintMeaning }>
  /** Finds settings that are allowed and probably a mistake. Called with a config in which `check` found nothing. No I/O but `files`. */
  lint?(config: Static<Config>, context: LintContext): Iterable<LintFinding>
  /** Names of things that only one stage can have (`POST /webhook/orders`): two stages with the same claim are an error. */
  claims?(config: Static<Config>): readonly { readonly at: string; readonly claim: string }[]
  /**
   * For `validate --against-cluster`: asks the outside whether a stage with this config would work. It writes and
   * acknowledges nothing, and ends when `signal` is aborted. The results yielded before that count.
   */
  probe?(config: Static<Config>, context: ProbeContext): AsyncIterable<Probed>
}

/** The values of one setting that stand for other settings: those are not required beside it. */
export interface Presets {
  readonly setting: string
  /**
   * Adds the settings that it stands for, before the schema is applied. Called with settings of any shape, as they are
   * written; must not change them. Pure.
   */
  expand(written: unknown): ExpandedSettings
}

/** The settings of a stage, complete. */
export interface ExpandedSettings {
  readonly config: unknown
  /** Settings that have to be beside the preset and are not: the schema is not applied then. */
  readonly missing: readonly ConfigProblem[]
  /** The JSON Pointer of the setting that is written, for one of `config`. */
  writtenAt(pointer: string): string
}

/** A setting that reads a part of the request. */
export interface RequestRead {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** The part: `header:NAME`, `query:NAME`, `path` or `method`. */
  readonly part: string
}

/** A problem in the config of a stage that its schema cannot express. */
export interface ConfigProblem {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** The characters of the text there that are at fault; absent if all of it is. */
  readonly within?: { readonly from: number; readonly to: number }
  readonly code: ErrorCode
  readonly message: string
  readonly expected?: string
  /** A sentence, such as `Did you mean "linger.ms"?` */
  readonly suggestion?: string
}

export interface CheckContext {
  readonly files: Files
  /** True if strangers can reach the intake and no process setting allows unverified senders. */
  readonly exposed: boolean
  /** True if the pipeline has a topic for dead letters. */
  readonly deadLetters: boolean
  /** True if a process setting allows settings with which a client loads libraries or runs programs. */
  readonly clientCode?: boolean
}

/** A setting that is allowed and probably a mistake. */
export interface LintFinding {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** One of the names in `lints`. */
  readonly name: string
  readonly message: string
  readonly suggestion?: string
}

/** The meaning of a warning, for `docs/lint.md`. A sentence each. */
export interface LintMeaning {
  readonly meaning: string
  readonly why: string
  /**
   * If the config alone does not decide: only `probe` finds it in the cluster, or files and variables of the machine decide. A
   * comment that ignores it may then silence nothing.
   */
  readonly needs?: 'cluster' | 'machine'
}

export interface LintContext extends CheckContext {
  /** JSON Schemas (2020-12 or draft 07) that every event fits when it reaches this stage. */
  readonly ensured: readonly unknown[]
  /** Bytes of the largest body that the source accepts; undefined if it does not say. */
  readonly maxBody: number | undefined
  /** Which deliveries are of one event: those with the same id and bytes, or all with the same id. */
  readonly redeliveryBy: 'id+bytes' | 'id'
}

/** For `probe`. Positions in the file are JSON Pointers into the whole of it: targets lie in other stages. */
export interface ProbeContext {
  readonly pipeline: string
  readonly files: Files
  /** JSON Pointer of the config of the stage. */
  readonly at: string
  /** Of a sink: everything that it would write to, the dead-letter topic included. */
  readonly targets: readonly { readonly at: string; readonly target: Target }[]
  /** Of a sink: the topics of the source that it reads, each with the JSON Pointer of its name. */
  readonly sources: readonly { readonly at: string; readonly topic: string }[]
  /** Of a sink: the inbox of the pipeline, if it has one, and the JSON Pointer of its settings. */
  readonly inbox?: { readonly at: string; readonly topic: string }
  /** Of a sink: whether instances share the work of the pipeline, by an inbox or by the topics of its source. */
  readonly isShared: boolean
  /** Processes that take events in each instance, as HEADGATE_WORKERS says; 0 if one process does everything. */
  readonly workers: number
  /** Bytes of the largest body that the source accepts; undefined if it does not say. */
  readonly maxBody: number | undefined
  /** Milliseconds for which redeliveries are to be recognised. */
  readonly redeliveryWindow: number
  /** Milliseconds for one question to the outside. */
  readonly timeout: number
  /** Aborted when nobody waits for the result any longer: a little after `timeout`, or at Ctrl-C. */
  readonly signal: AbortSignal
}

/** A topic that a sink could write to. */
export interface SinkTopic {
  readonly name: string
  /** How many partitions it has. */
  readonly partitions: number
}

/** One result of `probe`. No message holds a secret; the engine masks the values of references. */
export type Probed =
  /** Of a sink: all topics that it could write to. The engine knows the rules, and warns of topics that none of them uses. */
  | { readonly kind: 'topics'; readonly topics: readonly SinkTopic[] }
  /** As it should be: a sentence for people. */
  | { readonly kind: 'checked'; readonly message: string }
  /** Could not be checked: a sentence that says why. */
  | { readonly kind: 'unchecked'; readonly message: string }
  | {
      readonly kind: 'error'
      readonly at: string
      readonly code: ErrorCode
      readonly message: string
      readonly suggestion?: string
    }
  /** `name` is one of the names in `lints`; a comment in the config silences it. */
  | {
      readonly kind: 'warning'
      readonly at: string
      readonly name: string
      readonly message: string
      readonly suggestion?: string
    }

/**
 * A config that takes one of several shapes, told apart by the text in `tag`. Errors then speak of the chosen shape
 * only, while a plain union would report the errors of every shape.
 */
export function variants<const Shapes extends { readonly [name: string]: TObject<TProperties> }>(
  tag: string,
  description: string,
  shapes: Shapes,
): TUnsafe<{ [Name in keyof Shapes]: Static<Shapes[Name]> }[keyof Shapes]> {
  const oneOf = Object.values(shapes)
  return {
    type: 'object',
    description,
    required: [tag],
    discriminator: { propertyName: tag },
    oneOf,
  } as unknown as TUnsafe<{ [Name in keyof Shapes]: Static<Shapes[Name]> }[keyof Shapes]>
}
