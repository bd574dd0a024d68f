import type { TSchema } from 'typebox'
import { asHeadgateError } from '../contract/errors.js'
import type { AnyDefinition, ConfigProblem, Definition, Files, Kind, Target } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import { choosePlugin, type ExternalPlugins } from './choose-plugin.js'
import { resolveSinks, type SinkReference, sinkPointer, UNKNOWN } from './named-sinks.js'
import { formatLocation, type Problem } from './problem.js'
import type { ProviderProblem } from './providers.js'
import { requestProblems } from './request-reads.js'
import { ConfigFile, type PipelineConfig } from './schema.js'
import { checkShape, type ShapeProblem } from './shape.js'
import type { SourceText } from './source-text.js'
import { readSettings } from './stage-settings.js'

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

export interface CheckOptions {
  readonly plugins: readonly AnyDefinition[]
  readonly external?: ExternalPlugins
  readonly files: Files
  readonly exposed: boolean
  readonly clientCode?: boolean
  /** References that have no value: a second problem at the same place would only repeat the first. */
  readonly unresolved: readonly ProviderProblem[]
  /** Present if plugins have checked their settings already, in another process. */
  readonly checked?: object
}

export interface Checked {
  readonly pipelines: readonly CheckedPipeline[]
  readonly problems: readonly Problem[]
}

/** Checks the substituted config: the shape of the file, then each stage by its plugin, then the stages together. */
export function checkPipelines(written: unknown, text: SourceText, options: CheckOptions): Checked {
  const problems: Problem[] = []
  const unresolved = new Set(options.unresolved.map(({ pointer }) => pointer))
  const report = ({ pointer, key, within, ...problem }: ShapeProblem): void => {
    if (unresolved.has(pointer) && problem.code !== 'HG_CONFIG_PROVIDER') return
    const found = key ? undefined : text.quote(pointer)
    const location = key ? text.locationOfKey(pointer) : text.locationOf(pointer, within)
    problems.push({ ...problem, pointer, location, ...(found !== undefined && { found }) })
  }
  for (const problem of options.unresolved) report(problem)
  const { config, references } = resolveSinks(written, report)
  for (const problem of checkShape(ConfigFile, config)) report(problem)
  // A file of another shape has no stages to check.
  const entries = Object.entries(
    (config as { pipelines?: { [name: string]: PipelineConfig } } | undefined)?.pipelines ?? {},
  )
  const claims = new Map<string, string>()
  const sinks = checkSinks(config, options, report)
  const pipelines = entries.flatMap(([name, settings]) => {
    const reference = references.get(name)
    const named = reference && { reference, checked: sinks.get(reference.name) }
    const checked = checkPipeline(name, settings, named, options, report, claims, text)
    return checked === undefined ? [] : [checked]
  })
  return { pipelines, problems }
}

type Report = (problem: ShapeProblem) => void

function checkPipeline(
  name: string,
  settings: PipelineConfig,
  named: NamedSink | undefined,
  options: CheckOptions,
  report: Report,
  claims: Map<string, string>,
  text: SourceText,
): CheckedPipeline | undefined {
  const pointer = child('/pipelines', name)
  const deadLetters = settings?.deadLetter !== undefined
  const stage = <K extends Kind>(kind: K, at: string, entry: StageEntry | undefined) =>
    checkStage(kind, `${pointer}${at}`, entry, { ...options, deadLetters }, report)
  const stages = <K extends Kind>(kind: K, at: string, list: unknown) =>
    Array.isArray(list) ? list.map((entry: StageEntry, index) => stage(kind, child(at, index), entry)) : []

  const source = stage('source', '/source', settings?.source)
  const transforms = stages('transform', '/transforms', settings?.transforms)
  const sink =
    named === undefined
      ? stage('sink', '/sink', settings?.sink)
      : checkNamedSink(named, `${pointer}/sink`, settings?.sink, { ...options, deadLetters }, report)
  const postCommit = stages('post-commit', '/postCommit', settings?.postCommit)
  if (source !== undefined) checkClaims(source, claims, report, text)
  const complete = [source, sink, ...transforms, ...postCommit].every((checked) => checked !== undefined)
  // If `transforms` is not a list, that has been reported.
  const listed = Array.isArray(settings?.transforms)
  if (complete && listed && !transforms.some((checked) => checked?.definition.routes)) {
    report({
      pointer,
      code: 'HG_CONFIG_CONFLICT',
      message: `No transform of the pipeline "${name}" chooses a topic.`,
      suggestion: 'Add a transform with the plugin "route".',
    })
  }
  if (!complete || source === undefined || sink === undefined) return undefined
  const checked: CheckedPipeline = {
    name,
    settings,
    source,
    transforms: transforms as CheckedStage<'transform'>[],
    sink,
    postCommit: postCommit as CheckedStage<'post-commit'>[],
  }
  for (const problem of inboxProblems(checked))
    report({ pointer: `${pointer}/inbox`, code: 'HG_CONFIG_CONFLICT', ...problem })
  for (const problem of requestProblems(checked)) report(problem)
  for (const { at, ...problem } of topicProblems(checked))
    report({ pointer: `${pointer}/source${at}`, code: 'HG_CONFIG_CONFLICT', ...problem })
  return checked
}

function* inboxProblems(
  checked: CheckedPipeline,
): Iterable<{ readonly message: string; readonly suggestion: string }> {
  const { inbox, deadLetter } = checked.settings
  if (inbox === undefined) return
  const { definition } = checked.sink
  if (definition.inbox !== true)
    yield {
      message: `The sink "${definition.name}" offers no inbox.`,
      suggestion: 'Use the sink "kafka", or remove "inbox".',
    }
  if (deadLetter === undefined)
    yield {
      message:
        'A pipeline with an inbox needs a topic for dead letters: the sender of an accepted event cannot be told any more that Kafka refuses its record.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    }
  const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
  if (targets.some(({ target }) => target.topic === inbox.topic))
    yield {
      message: `The pipeline also writes its records to the topic "${inbox.topic}".`,
      suggestion: 'Give the inbox a topic of its own.',
    }
}

/** Of a source that takes its events from topics. */
function* topicProblems(
  checked: CheckedPipeline,
): Iterable<{ readonly at: string; readonly message: string; readonly suggestion: string }> {
  const { source, sink, settings } = checked
  const topics = source.definition.topics?.(source.config)
  if (topics === undefined) return
  if (sink.definition.inbox !== true)
    yield {
      at: '/plugin',
      message: `The sink "${sink.definition.name}" cannot commit the offsets of topics with its records.`,
      suggestion: 'Use the sink "kafka".',
    }
  if (settings.inbox !== undefined)
    yield {
      at: '/plugin',
      message: 'The events of this source are in topics already: an inbox would only copy them.',
      suggestion: 'Remove "inbox" from the pipeline.',
    }
  if (settings.deadLetter === undefined)
    yield {
      at: '/plugin',
      message:
        'A pipeline that takes its events from topics needs a topic for dead letters: there is no sender that could be told of bad data.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    }
  const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
  for (const { at, topic } of topics)
    if (targets.some(({ target }) => target.topic === topic))
      yield {
        at: `/config${at}`,
        message: `The pipeline also writes to the topic "${topic}": its events would come again and again.`,
        suggestion: 'Write to another topic.',
      }
}

/** The named sink of a pipeline; `checked` is undefined if the sink itself has a problem. */
interface NamedSink {
  readonly reference: SinkReference
  readonly checked: CheckedStage<'sink'> | undefined
}

/** Checks each declared sink by itself, so that its problems are reported once, whichever pipelines use it. */
function checkSinks(config: unknown, options: CheckOptions, report: Report) {
  const { sinks } = (config ?? {}) as { readonly sinks?: { readonly [name: string]: StageEntry } }
  const checked = new Map<string, CheckedStage<'sink'>>()
  if (typeof sinks !== 'object' || sinks === null) return checked
  for (const [name, entry] of Object.entries(sinks)) {
    const sink = checkStage('sink', sinkPointer(name), entry, { ...options, deadLetters: true }, report)
    if (sink !== undefined) checked.set(name, { ...sink, sharedAs: name })
  }
  return checked
}

/** Reports only problems in the settings of the pipeline: `checkSinks` has reported those in the declaration. */
function checkNamedSink(
  { reference, checked }: NamedSink,
  pointer: string,
  entry: StageEntry | undefined,
  options: StageOptions,
  report: Report,
): CheckedStage<'sink'> | undefined {
  if (checked === undefined) return undefined
  const at = `${sinkPointer(reference.name)}/config`
  const own = (problem: ShapeProblem): void => {
    const setting = Object.keys(reference.config).find((name) => {
      const whole = child(`${pointer}/config`, name)
      return problem.pointer === whole || problem.pointer.startsWith(`${whole}/`)
    })
    if (setting !== undefined || !problem.pointer.startsWith(`${pointer}/config`)) report(problem)
    else report({ ...problem, pointer: at + problem.pointer.slice(`${pointer}/config`.length) })
  }
  const stage = checkStage('sink', pointer, entry, options, own)
  return stage && { ...stage, pointer: sinkPointer(reference.name), sharedAs: reference.name }
}

interface StageEntry {
  readonly plugin?: unknown
  readonly config?: unknown
  readonly onError?: unknown
}

type StageOptions = CheckOptions & { readonly deadLetters: boolean }

function checkStage<K extends Kind>(
  kind: K,
  pointer: string,
  entry: StageEntry | undefined,
  options: StageOptions,
  report: Report,
): CheckedStage<K> | undefined {
  // The check of the shape has reported a plugin that is missing or not a text.
  if (typeof entry?.plugin !== 'string' || typeof entry.config !== 'object') return undefined
  if (entry.plugin === UNKNOWN) return undefined
  const chosen = choosePlugin(kind, entry.plugin, options)
  if ('problem' in chosen) {
    report({ pointer: `${pointer}/plugin`, ...chosen.problem })
    return undefined
  }
  const { definition } = chosen
  if (entry.onError === 'dead-letter' && !options.deadLetters) {
    report({ pointer: `${pointer}/onError`, ...noDeadLetters })
  }
  const within = `${pointer}/config`
  const { config, problems, writtenAt } = readSettings(definition, entry.config)
  for (const problem of problems) report({ ...problem, pointer: within + problem.pointer })
  if (problems.length > 0) return undefined
  for (const { at, ...problem } of pluginProblems(definition, config, options)) {
    report({ ...problem, pointer: within + writtenAt(at), key: problem.code === 'HG_CONFIG_UNKNOWN_KEY' })
  }
  return { definition, config, pointer }
}

const noDeadLetters = {
  code: 'HG_CONFIG_CONFLICT',
  message: 'Events go to the dead letters here, but the pipeline has no "deadLetter" topic.',
  suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
} as const

function* pluginProblems(
  { name, check }: Definition<Kind, TSchema>,
  config: unknown,
  { files, exposed, deadLetters, clientCode = false, checked }: StageOptions,
): Iterable<ConfigProblem> {
  if (checked !== undefined) return
  try {
    yield* check?.(config, { files, exposed, deadLetters, clientCode }) ?? []
  } catch (thrown) {
    const { code, message } = asHeadgateError(thrown, name)
    yield { at: '', code, message }
  }
}

function checkClaims(
  { definition, config, pointer }: CheckedStage<'source'>,
  claims: Map<string, string>,
  report: Report,
  text: SourceText,
): void {
  for (const { at: setting, claim } of definition.claims?.(config) ?? []) {
    const at = `${pointer}/config${setting}`
    const other = claims.get(claim)
    if (other === undefined) claims.set(claim, at)
    else {
      const message = `Another pipeline already uses this value, at ${formatLocation(text.locationOf(other))}.`
      report({ pointer: at, code: 'HG_CONFIG_CONFLICT', message })
    }
  }
}
