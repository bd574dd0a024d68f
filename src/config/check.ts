import type { TSchema } from 'typebox'
import { asHeadgateError } from '../contract/errors.js'
import type { AnyDefinition, ConfigProblem, Definition, Files, Kind } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import type { CheckedPipeline, CheckedStage } from './checked-pipeline.js'
import { choosePlugin, type ExternalPlugins } from './choose-plugin.js'
import { conflictsIn } from './conflicts.js'
import { resolveSinks, type SinkReference, sinkPointer, UNKNOWN } from './named-sinks.js'
import { formatLocation, type Problem } from './problem.js'
import type { ProviderProblem } from './providers.js'
import { ConfigFile, type PipelineConfig } from './schema.js'
import { checkShape, type ShapeProblem } from './shape.js'
import type { SourceText } from './source-text.js'
import { readSettings } from './stage-settings.js'

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
  for (const problem of conflictsIn(checked)) report(problem)
  return checked
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
