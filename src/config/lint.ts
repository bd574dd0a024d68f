import type { TSchema } from 'typebox'
import { asHeadgateError } from '../contract/errors.js'
import type { CheckContext, Definition, Files, Kind } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import { type CheckedPipeline, deadLetterTargets, routedTargets, stagesOf } from './checked-pipeline.js'
import { type LintName, type LintTable, lintTable } from './lint-names.js'
import { shortSecrets, unusedSecrets, unusedVariables } from './lint-references.js'
import { requestFindings } from './lint-request.js'
import { didYouMean, formatLocation, type Warning } from './problem.js'
import type { Environment, Resolved } from './providers.js'
import { looksSecret, type SecretPlace, type SecretValue, withoutSecrets } from './secrets.js'
import type { Comment, SourceText } from './source-text.js'

export interface LintOptions {
  readonly files: Files
  readonly exposed: boolean
  /** Secrets that are written in the file itself. */
  readonly inClear: readonly SecretPlace[]
  /** All secrets, including those from references. */
  readonly secrets: readonly SecretValue[]
  /** Removes the secrets from the messages of plugins. */
  redact(text: string): string
  readonly resolved: readonly Resolved[]
  readonly environment: Environment
  /** The built-in plugins, and all plugins that the file uses. */
  readonly plugins: Parameters<typeof lintTable>[0]
}

type Found = Omit<Warning, 'location' | 'name'> & { readonly name: string }
type OfOurs = Omit<Found, 'name'> & { readonly name: LintName }

/** Probable mistakes in a valid config, in the order of the file. */
export function lint(
  pipelines: readonly CheckedPipeline[],
  text: SourceText,
  options: LintOptions,
): Warning[] {
  const found: Found[] = [
    ...pipelines.flatMap((pipeline) => [...stageFindings(pipeline, options)]),
    ...pipelines.flatMap(overriddenRoutes),
    ...pipelines.flatMap((pipeline) => [...requestFindings(pipeline)]),
    ...targetFindings(pipelines, text),
    ...unusedSinks(pipelines, text.value),
    ...options.inClear.flatMap(secretInClear),
    ...shortSecrets(options.secrets, namesOf(pipelines)),
    ...paddedReferences(options.resolved),
    ...unusedSecrets(options.resolved, text.value, options.environment),
    ...unusedVariables(options.resolved, options.environment),
  ]
  // A named sink is checked once for each pipeline that uses it.
  const different = new Map(
    found.map((warning) => [`${warning.name} ${warning.pointer} ${warning.message}`, warning]),
  )
  const warnings = [...different.values()].map((warning) => ({
    ...warning,
    location: text.locationOf(warning.pointer),
  }))
  const used = pipelines.flatMap(stagesOf).map(({ definition }) => definition)
  return silence(warnings, text, lintTable([...options.plugins, ...used]))
}

/** The warnings of each plugin about its own stage. `ensured` tells a transform which events the earlier ones let pass. */
function* stageFindings(
  pipeline: CheckedPipeline,
  { files, exposed, redact }: LintOptions,
): Generator<Found> {
  const deadLetters = pipeline.settings.deadLetter !== undefined
  const context: CheckContext = { files, exposed, deadLetters }
  const maxBody = pipeline.source.definition.maxBody?.(pipeline.source.config)
  const redeliveryBy = pipeline.settings.redelivery.by
  let ensured: readonly unknown[] = []
  for (const { definition, config, pointer } of stagesOf(pipeline)) {
    const { lint } = definition as Definition<Kind, TSchema>
    try {
      for (const { at, ...finding } of lint?.(config, { ...context, ensured, maxBody, redeliveryBy }) ?? [])
        yield withoutSecrets({ ...finding, pointer: `${pointer}/config${at}` }, redact)
    } catch (thrown) {
      const { message } = asHeadgateError(thrown, definition.name)
      yield { pointer: `${pointer}/plugin`, name: 'lint-failed' satisfies LintName, message: redact(message) }
    }
    const ensures = 'ensures' in definition ? definition.ensures : undefined
    if (ensures !== undefined) ensured = [...ensured, ensures(config, context)]
    // Any other transform may have changed the event.
    else if (definition.kind === 'transform' && definition.routes !== true) ensured = []
  }
}

const overriddenRoutes = ({ transforms }: CheckedPipeline): OfOurs[] =>
  transforms
    .filter(({ definition }) => definition.routes)
    .slice(1)
    .map(({ definition, pointer }) => ({
      pointer: `${pointer}/plugin`,
      name: 'route-overridden',
      message: `An earlier transform has already chosen a target, and this "${definition.name}" chooses again.`,
      suggestion: 'Put the rules of both into one transform.',
    }))

/** If two places in the file conflict, the warning is at the later one and gives the location of the earlier one. */
function* targetFindings(pipelines: readonly CheckedPipeline[], text: SourceText): Generator<OfOurs> {
  const routed = pipelines.flatMap(routedTargets).map(({ at, target }) => ({ ...target, pointer: at }))
  const locationOf = (pointer: string): string => formatLocation(text.locationOf(pointer))
  for (const [index, { topic, partition, pointer }] of routed.entries()) {
    const other = routed
      .slice(0, index)
      .find(
        (earlier) => earlier.topic === topic && earlier.partition === partition && partition !== undefined,
      )
    if (other === undefined) continue
    yield {
      pointer: child(pointer, 'partition'),
      name: 'partition-shared',
      message: `The rule at ${locationOf(other.pointer)} already uses partition ${partition} of ${topic}.`,
    }
  }
  for (const { name, settings } of pipelines) {
    const { deadLetter } = settings
    const rule = routed.find(({ topic }) => topic === deadLetter?.topic)
    if (rule === undefined) continue
    yield {
      pointer: `${child('/pipelines', name)}/deadLetter/topic`,
      name: 'dead-letter-topic-routed',
      message: `Dead letters share the topic ${rule.topic} with the events routed at ${locationOf(rule.pointer)}.`,
      suggestion: 'Give the dead letters a topic of their own.',
    }
  }
}

function unusedSinks(pipelines: readonly CheckedPipeline[], file: unknown): OfOurs[] {
  const { sinks } = (file ?? {}) as { readonly sinks?: object }
  const used = new Set(pipelines.map(({ sink }) => sink.sharedAs))
  return Object.keys(sinks ?? {})
    .filter((name) => !used.has(name))
    .map((name) => ({
      pointer: child('/sinks', name),
      name: 'sink-unused',
      message: `No pipeline uses the sink "${name}".`,
      suggestion: `Refer to it by "sink": "${name}", or remove it.`,
    }))
}

/** The names of a config that appear in logs and metrics. */
const namesOf = (pipelines: readonly CheckedPipeline[]): ReadonlySet<string> =>
  new Set(
    pipelines.flatMap((pipeline) => [
      pipeline.name,
      ...(pipeline.sink.sharedAs === undefined ? [] : [pipeline.sink.sharedAs]),
      ...stagesOf(pipeline).map(({ definition }) => definition.name),
      ...[...routedTargets(pipeline), ...deadLetterTargets(pipeline)].map(({ target }) => target.topic),
    ]),
  )

const secretInClear = ({ pointer, text, declared }: SecretPlace): OfOurs[] =>
  declared || looksSecret(text)
    ? [
        {
          pointer,
          name: 'secret-in-clear',
          message: declared
            ? 'This secret is written in the file.'
            : 'This looks like a secret that is written in the file.',
          suggestion: 'Write a reference such as "${env:NAME}" or "${file:/path}" instead.',
        },
      ]
    : []

function* paddedReferences(resolved: readonly Resolved[]): Generator<OfOurs> {
  const seen = new Set<string>()
  for (const { pointer, reference, value } of resolved) {
    if (seen.has(pointer) || !PADDED.test(value)) continue
    seen.add(pointer)
    const what = /^\s|\s$/.test(value) ? 'begins or ends with white space' : 'is wrapped in quotes'
    yield {
      pointer,
      name: 'reference-padded',
      message: `The value of ${reference} ${what}, which becomes part of it.`,
      suggestion: 'Remove it where the value is set.',
    }
  }
}

const PADDED = /^\s|\s$|^(["']).*\1$/s

/** `headgate-ignore: name, name` and, after a space, the reason. */
const IGNORE = /^headgate-ignore\b:?\s*([\w-]+(?:\s*,\s*[\w-]+)*)?/

/**
 * Removes the warnings that a comment silences: a comment on their line, on the line before, or at the beginning of the object
 * that they are in. Adds a warning for each name in such a comment that is unknown, or that silences nothing and is not in
 * `foundElsewhere`.
 */
function silence(warnings: readonly Warning[], text: SourceText, lints: LintTable): Warning[] {
  const ignores = text.comments.flatMap(ignoresIn)
  const silenced = new Set<Warning>()
  const complaints = ignores.flatMap(({ name, comment }) => {
    const lint = name === undefined ? undefined : lints.get(name)
    if (name === undefined || lint === undefined) return [unknown(name, comment, lints)]
    const meant = warnings.filter(
      (warning) => warning.name === name && linesOf(warning, text).has(comment.about),
    )
    for (const warning of meant) silenced.add(warning)
    return meant.length > 0 || lint.needs !== undefined ? [] : [unused(name, comment)]
  })
  return [...warnings.filter((warning) => !silenced.has(warning)), ...complaints]
}

/** Without the warnings that a comment silences. */
export const notSilenced = (warnings: readonly Warning[], text: SourceText): Warning[] => {
  const ignores = text.comments.flatMap(ignoresIn)
  return warnings.filter(
    (warning) =>
      !ignores.some(
        ({ name, comment }) => name === warning.name && linesOf(warning, text).has(comment.about),
      ),
  )
}

interface Ignore {
  /** Undefined if the comment has none. */
  readonly name: string | undefined
  readonly comment: Comment
}

function ignoresIn(comment: Comment): Ignore[] {
  const match = IGNORE.exec(comment.text)
  if (match === null) return []
  if (match[1] === undefined) return [{ name: undefined, comment }]
  return match[1].split(/\s*,\s*/).map((name) => ({ name, comment }))
}

function linesOf({ location, pointer }: Warning, text: SourceText): ReadonlySet<number> {
  const around = pointer.slice(0, pointer.lastIndexOf('/'))
  return new Set([location.line, text.locationOf(around).line, text.locationOfKey(pointer).line])
}

function unknown(name: string | undefined, comment: Comment, lints: LintTable): Warning {
  return {
    name: 'ignore-unknown' satisfies LintName,
    location: comment.location,
    pointer: '',
    ...(name === undefined
      ? {
          message: 'This comment names no warning to silence.',
          suggestion: 'Write the name that the warning shows: "// headgate-ignore: rule-never-matches".',
        }
      : { message: `There is no warning "${name}".`, ...didYouMean(name, [...lints.keys()]) }),
  }
}

const unused = (name: string, comment: Comment): Warning => ({
  name: 'ignore-unused' satisfies LintName,
  location: comment.location,
  pointer: '',
  message: `Nothing to silence: there is no "${name}" on line ${comment.about}.`,
  suggestion: 'Remove the comment, or move it to the line before the one that the warning names.',
})
