/**
 * The contract that every plugin is written against, the built-in ones included.
 * A plugin is one exported definition; a pipeline is one source, transforms, one sink and post-commit stages.
 */
import type { Static, TObject, TProperties, TSchema, TUnsafe } from 'typebox'
import type { ErrorCode, HeadgateError } from './errors.js'

// What travels -------------------------------------------------------------------------------------------------

/** A parsed JSON document that still has its bytes. */
export interface JsonBody {
  /** As received, or as a transform wrote it. */
  readonly bytes: Buffer
  /** What the bytes mean. Never changed in place. */
  readonly value: unknown
  /** The bytes of the value at a JSON Pointer, exactly as they stand in `bytes`; undefined where there is none. */
  slice(pointer: JsonPointer): Buffer | undefined
}

/** A JSON Pointer (RFC 6901), compiled once: reads a place in a value. `json/pointer.ts` makes them. */
export interface JsonPointer {
  readonly text: string
  /** The reference tokens, unescaped. */
  readonly tokens: readonly string[]
  read(value: unknown): unknown
}

/** Where a record goes. Without a partition, the Murmur2 hash of the key decides, as in the Java client. */
export interface Target {
  readonly topic: string
  readonly partition?: number
}

/** One event on its way. A transform returns a changed copy; nobody changes it in place. */
export interface Event {
  /** Constant across redeliveries of the same event. */
  readonly id: string
  readonly body: JsonBody
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** A valid W3C trace context of the sender. */
  readonly traceparent?: string
  /** What tracing systems put beside it; valid too, and never without it. */
  readonly tracestate?: string
  /** Set by the routing transform. */
  readonly route?: { readonly name: string; readonly target: Target }
}

/** What is written to Kafka. */
export interface SinkRecord {
  readonly target: Target
  readonly key: Buffer | null
  readonly value: Buffer
  readonly headers: readonly RecordHeader[]
}

export interface RecordHeader {
  readonly name: string
  readonly value: string
}

/** Proof that a record is durable. */
export interface Receipt {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** How the path of an event ended. Every event received ends in exactly one. */
export type Outcome =
  | {
      readonly kind: 'delivered' | 'duplicate' | 'dead-lettered'
      readonly id: string
      readonly receipt: Receipt
    }
  | { readonly kind: 'dropped'; readonly id: string }
  /** Bad data: the sender need not try again. */
  | { readonly kind: 'rejected'; readonly id: string | undefined; readonly error: HeadgateError }
  /** Our side's fault: the sender keeps the event and tries again. */
  | { readonly kind: 'unavailable'; readonly id: string | undefined; readonly error: HeadgateError }

export const OUTCOMES = [
  'delivered',
  'duplicate',
  'dropped',
  'dead-lettered',
  'rejected',
  'unavailable',
] as const

// What a plugin is given ---------------------------------------------------------------------------------------

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Metrics of a stage: names get the prefix `headgate_`, labels the pipeline. Asking twice gives the same metric. */
export interface Metrics {
  /** One counter for each value of `label`, all of them shown from the start with 0. */
  counters<Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): { readonly [value in Value]: { inc(count?: number): void } }
  /** A gauge; `labels` are set with each value. */
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
}

export interface Gauge {
  set(value: number, labels?: { readonly [label: string]: string }): void
  /** Forgets all label sets, for things that come and go. */
  clear(): void
}

/** Files that the config names, relative to the config file. */
export interface Files {
  /** The absolute path. */
  resolve(path: string): string
  /** Throws HG_CONFIG_UNREADABLE with the path and the reason. */
  read(path: string): string
  /** The names in a folder, sorted. Throws HG_CONFIG_UNREADABLE. */
  list(folder: string): readonly string[]
}

export interface Context {
  readonly pipeline: string
  readonly log: Log
  readonly metrics: Metrics
  readonly files: Files
  /** Aborted when the process no longer waits for anybody: give up what is still under way. */
  readonly signal: AbortSignal
}

export interface SourceContext extends Context {
  readonly http: HttpListener
}

/** The listener that all pipelines share. It outlives them. */
export interface HttpListener {
  /**
   * Counts the bodies of all requests that are coming in or in flight. A source need not count what it is handed: it is
   * released when `handle` settles. It counts what it makes of it (an inflated body), or keeps for longer.
   */
  readonly memory: BodyMemory
  /**
   * Serves `path` until the returned function is called. A source of the same pipeline takes a path over from the one
   * before it, without a gap; what has begun there goes on.
   */
  serve(path: string, handler: HttpHandler): () => void
}

/** A bound for the bytes of bodies that a process holds at a time. What is counted has to be released. */
export interface BodyMemory {
  /** False, and nothing counted, where there is no room. */
  take(bytes: number): boolean
  /** Counts what is held already, even where there is no room. */
  add(bytes: number): void
  release(bytes: number): void
}

export interface HttpHandler {
  readonly methods: readonly string[]
  readonly maxBodyBytes: number
  /** Looks at the head of a request before its body is read: a returned answer ends the request. */
  head(request: HttpHead): HttpAnswer | undefined | Promise<HttpAnswer>
  handle(request: HttpRequest): Promise<HttpAnswer>
  /** The answer to a body that is larger than `maxBodyBytes`. */
  tooLarge(request: HttpHead): Promise<HttpAnswer>
  /** The answer to a body that there is no memory for. */
  noMemory(request: HttpHead): Promise<HttpAnswer>
}

/** What tells with which request an event came, in the log, in the answer and in traces. */
export interface Correlation {
  /**
   * What the sender gave as `x-request-id`, or an id that is made when it is first asked for. The listener puts it into
   * the answer wherever it was given, was asked for, or the answer is no success.
   */
  readonly requestId: string
  /** A valid W3C trace context of the sender, in the form of version 00. */
  readonly traceparent: string | undefined
  /** What tracing systems put beside it; never without it. */
  readonly tracestate: string | undefined
}

export interface HttpHead extends Correlation {
  readonly method: string
  /** Lower-case names. A header that was sent twice is joined as node:http does. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
}

export interface HttpRequest extends HttpHead {
  readonly body: Buffer
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

// What a plugin gives ------------------------------------------------------------------------------------------

/** All I/O of a stage lies between `start` and `stop`; `create` only puts it together. */
interface Lifecycle {
  start?(): Promise<void>
  /** Finishes what is under way. May be called without `start`. */
  stop?(): Promise<void>
  /** Why the pipeline cannot take events now; empty when it can. Shown by /ready, one sentence each. */
  notReady?(): readonly string[]
}

/** One thing that a stage looked at, for people who ask why: `explain` shows it, `test` and `diff` go by it. */
export interface Explained {
  /** What it is, such as `event id` or `rule eu-west`. */
  readonly name: string
  /** What it came to: `matched`, `not tried`, the value that was found. */
  readonly result: string
  /** Each place or condition that was looked at, and what was found there. */
  readonly looked: readonly { readonly at: string; readonly found: string }[]
}

/** Why a transform says what it says of an event. */
export interface Explanation {
  /** The rule that decides, for a stage that has rules; undefined where the event did not get that far. */
  readonly rule?: string
  /** In the order in which the stage looks. */
  readonly details: readonly Explained[]
}

/**
 * The path of one event. `receive` authenticates, parses and gives the id, and throws a HeadgateError where it
 * cannot; it is called at once. Never rejects: whatever happens is an outcome. `request`: the one that it came with, by
 * which the log tells of it; an `HttpHead` is one.
 */
export type Intake = (receive: () => Event, request?: Correlation) => Promise<Outcome>

export interface Source {
  /** Opens the intake. */
  start(intake: Intake): Promise<void>
  /** Takes no more; resolves when all that was taken has been answered. */
  stop(): Promise<void>
  /** What the sender is told. Pure: `explain` and `test` ask it too. */
  answer(outcome: Outcome): HttpAnswer
  /** What was looked at in a request that became an event. Pure, and never on the path of an event. */
  explain?(request: HttpRequest): readonly Explained[]
}

/** What a transform says of an event. */
export type Verdict =
  | { readonly kind: 'pass'; readonly event: Event }
  | { readonly kind: 'drop' }
  /** Bad data; the `onError` of the stage decides what becomes of the event. */
  | { readonly kind: 'fail'; readonly error: HeadgateError }
  /** To the dead-letter topic, whatever `onError` says. */
  | { readonly kind: 'dead-letter'; readonly error: HeadgateError }
  /** Answered 4xx, whatever `onError` says. */
  | { readonly kind: 'reject'; readonly error: HeadgateError }

export const pass = (event: Event): Verdict => ({ kind: 'pass', event })
export const drop = (): Verdict => ({ kind: 'drop' })
export const fail = (error: HeadgateError): Verdict => ({ kind: 'fail', error })

export interface Transform extends Lifecycle {
  /** A thrown HeadgateError of kind `data` counts as `fail`; anything else is infrastructure: 503. */
  apply(event: Event): Verdict | Promise<Verdict>
  /** Why `apply` says what it says. Pure, and never on the path of an event. Without it, only the verdict is shown. */
  explain?(event: Event): Explanation | Promise<Explanation>
}

/** A target, and where the config names it (`plugins.config.json:14:60`). */
export interface PlacedTarget {
  readonly target: Target
  readonly place: string
}

export interface Sink extends Lifecycle {
  /** The targets that are checked at start. Called before `start`, and again when a new config has others. */
  expect(targets: readonly PlacedTarget[]): void
  /**
   * Whether records can be written to these targets, which a new config has. Called while the sink runs. Rejects with a
   * HeadgateError that names the places of those where they cannot. Without it, no target is checked beforehand.
   */
  check?(targets: readonly PlacedTarget[]): Promise<void>
  /** What would be written for an event. Pure. Throws a HeadgateError of kind `data`. `headers` come first. */
  record(event: Event, headers: readonly RecordHeader[]): SinkRecord
  /** The key an event would have, or null: a dead letter keeps it where it has one. */
  key(event: Event): Buffer | null
  /** The headers that the sink itself gives to the record of an event: a dead letter has those that can be had. */
  headers?(event: Event): readonly RecordHeader[]
  /**
   * Resolves once the record is durable. Rejects with a HeadgateError: `data` where the record itself is at fault,
   * `infrastructure` otherwise; `uncertain` where the record may be durable all the same.
   */
  send(record: SinkRecord): Promise<Receipt>
  /**
   * The body of an event as far as a record tells it: what the record holds stands where the sink would take it from.
   * Pure; undefined where nothing can be made of it. For comparing configs by what has been written.
   */
  rebuild?(record: LoggedRecord): Buffer | undefined
  /** Where the records are kept, for a sink that can read them back. */
  readonly log?: RecordLog
}

/** A place in a partition. */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A partition of the log as it is now. */
export interface LogPartition {
  readonly topic: string
  readonly partition: number
  /** The oldest record that is still kept. */
  readonly start: number
  /** Behind the newest record. */
  readonly end: number
  /** Where `commit` left it; undefined where nothing was ever committed. */
  readonly committed: number | undefined
}

/** A record as it is read back. */
export interface LoggedRecord extends Position {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** Empty where the record has none. */
  readonly value: Buffer
  /** The first of this name; undefined where the record has none. */
  header(name: string): string | undefined
  /** All of them, in their order. */
  headers(): readonly RecordHeader[]
}

/**
 * What a sink has written, as far as the ledger needs it: it is the ledger's source of truth. All of it rejects with a
 * HeadgateError of kind `infrastructure` while the log cannot be reached, and may be tried again.
 */
export interface RecordLog {
  /**
   * Gives up all that was sent and not confirmed: what of it is not in the log when this resolves will not be there
   * later. Their `send` rejects. Afterwards the sink takes records again.
   */
  fence(): Promise<void>
  /**
   * Every partition that records of the pipeline can be in: those of its targets, and `also` others, which it wrote to
   * under an earlier config; of these, what is no more is left out.
   */
  partitions(also?: readonly Omit<Position, 'offset'>[]): Promise<readonly LogPartition[]>
  /** For each partition the offset of the first record that is not older than `timestamp`; its end where there is none. */
  offsetsAt(timestamp: number): Promise<readonly Position[]>
  /**
   * Visits what stands from each position to the end that the partition has now, in the order of the offsets. What `visit`
   * throws ends the reading, which rejects with it.
   */
  read(from: readonly Position[], visit: (record: LoggedRecord) => void): Promise<void>
  /** Keeps, for each partition, the offset below which everything is acknowledged, where operators can see it. */
  commit(positions: readonly Position[]): Promise<void>
}

/** What is still known of an event once it is durable; all that a post-commit stage can use. */
export interface Committed {
  readonly id: string
  /** Absent where the config says that the event is dropped. */
  readonly receipt?: Receipt
  readonly traceparent?: string
  readonly tracestate?: string
}

/** What one attempt at telling the sender came to. The engine decides when the next one is. */
export type Attempt =
  | { readonly kind: 'acknowledged' }
  /** `after`: milliseconds the sender asked us to wait. `throttled`: it asked all of us, so everything waits. */
  | {
      readonly kind: 'retry'
      readonly error: HeadgateError
      readonly after?: number
      readonly throttled?: boolean
    }
  | { readonly kind: 'give-up'; readonly error: HeadgateError }

/** A request that a post-commit stage makes, for people: what is secret in it is written as `<token>`. */
export interface PostCommitRequest {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

export interface PostCommit extends Lifecycle {
  /** One attempt. Must be safe to repeat. */
  acknowledge(committed: Committed): Promise<Attempt>
  /** The request that `acknowledge` makes. Pure. Throws a HeadgateError where the event has not what it needs. */
  request?(committed: Committed): PostCommitRequest
}

// How a plugin is declared -------------------------------------------------------------------------------------

export interface KindTypes {
  source: { instance: Source; context: SourceContext }
  transform: { instance: Transform; context: Context }
  sink: { instance: Sink; context: Context }
  'post-commit': { instance: PostCommit; context: Context }
}

export type Kind = keyof KindTypes
export const KINDS = ['source', 'transform', 'sink', 'post-commit'] as const satisfies readonly Kind[]

/** Something wrong in the config of a stage that its schema cannot say. */
export interface ConfigProblem {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  readonly code: ErrorCode
  readonly message: string
  readonly expected?: string
  /** A sentence, such as `Did you mean "linger.ms"?` */
  readonly suggestion?: string
}

export interface CheckContext {
  readonly files: Files
  /** True where strangers can reach the intake and no process setting allows unverified senders. */
  readonly exposed: boolean
  /** True where the pipeline has a topic for dead letters. */
  readonly deadLetters: boolean
}

/** Something that the config of a stage may say, and that is probably not what was meant. */
export interface LintFinding {
  /** JSON Pointer into the config of the stage. */
  readonly at: string
  /** One of the names in `lints`. */
  readonly name: string
  readonly message: string
  readonly suggestion?: string
}

/** What a name stands for, in `docs/lint.md`. A sentence each. */
export interface LintMeaning {
  readonly meaning: string
  readonly why: string
  /** True for what only `probe` can find. */
  readonly outside?: true
}

export interface LintContext extends CheckContext {
  /** JSON Schemas (2020-12 or draft 07) that every event fits when it reaches this stage. */
  readonly ensured: readonly unknown[]
}

/** What `probe` is given. Places in the file are JSON Pointers into the whole of it: those of targets lie in other stages. */
export interface ProbeContext {
  readonly pipeline: string
  readonly files: Files
  /** Where the config of the stage is. */
  readonly at: string
  /** Of a sink: everywhere that it would write to, the dead letters included. */
  readonly targets: readonly { readonly at: string; readonly target: Target }[]
  /** Bytes of the largest body that the source takes; undefined where it does not say. */
  readonly maxBody: number | undefined
  /** Milliseconds for which redeliveries are to be recognised. */
  readonly redeliveryWindow: number
  /** Milliseconds for one question to the outside. */
  readonly timeout: number
  /** Aborted when nobody waits any longer: a little after `timeout`, or at Ctrl-C. */
  readonly signal: AbortSignal
}

/** A topic that a sink could write to. */
export interface SinkTopic {
  readonly name: string
  /** How many partitions it has. */
  readonly partitions: number
}

/** One thing that `probe` looked at. No secret is in a message; values of references are taken out by the engine. */
export type Probed =
  /** Of a sink: all that it could write to. The engine knows the rules, and warns of what they leave out. */
  | { readonly kind: 'topics'; readonly topics: readonly SinkTopic[] }
  /** As it should be: a sentence for people. */
  | { readonly kind: 'checked'; readonly message: string }
  /** Could not be looked at: what, and why. */
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
  /** What `lint` warns of, by name (`rule-never-matches`). A comment in the config silences a warning by its name. */
  readonly lints?: Readonly<{ [name: string]: LintMeaning }>
  /** Finds what is allowed and probably not meant. Called with a config in which `check` found nothing. No I/O but `files`. */
  lint?(config: Static<Config>, context: LintContext): Iterable<LintFinding>
  /** For a transform that changes nothing: the JSON Schema that every event fits which it lets pass. */
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
   * For `validate --against-cluster`: asks the outside whether a stage with this config would work. It writes and
   * acknowledges nothing, and ends when `signal` is aborted. What it yields before counts.
   */
  probe?(config: Static<Config>, context: ProbeContext): AsyncIterable<Probed>
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

/**
 * A config that takes one of several shapes, told apart by the text in `tag`. Errors then speak of the chosen shape
 * only, where a plain union would report what is wrong with every shape.
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
