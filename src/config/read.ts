import { hash } from 'node:crypto'
import { basename, dirname, relative } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import type { AnyDefinition, Files } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import { redactor } from '../process/redact.js'
import { type CheckedPipeline, checkPipelines } from './check.js'
import type { ExternalPlugins } from './choose-plugin.js'
import { type Contents, filesIn } from './files.js'
import { lint, notSilenced } from './lint.js'
import { checkWithPlaceholders, type Unresolved } from './placeholders.js'
import type { Problem, SourceLocation, Warning } from './problem.js'
import { type Environment, type ProviderProblem, type Substituted, substitute } from './providers.js'
import { HIDDEN, type SecretPlace, secretPlaces, secretValues, withoutSecrets } from './secrets.js'
import { SourceText } from './source-text.js'

/** All inputs of reading a config, except the file itself. */
export interface ReadOptions {
  readonly plugins: readonly AnyDefinition[]
  /** The external plugins that `loadPlugins` has loaded. */
  readonly external?: ExternalPlugins
  readonly environment: Environment
  /** True if other machines can reach the intake and unverified senders are not allowed. */
  readonly exposed: boolean
  /** True if Kafka clients may load libraries and run programs. */
  readonly clientCode?: boolean
  /** Paths are shown relative to it. */
  readonly cwd: string
  /** Read in place of the text in the file. */
  readonly text?: string
  /** All files as another process has read them, used in place of those on disk. */
  readonly contents?: Contents
  /** Reads only files below the folder of the config file: a stranger names them. */
  readonly within?: boolean
  /**
   * Without it, a reference that cannot be resolved is a problem. With `placeholder`, its value in sources, sinks and post-commit
   * stages is a placeholder: such a config is good for a dry run, and must not be run.
   */
  readonly unresolved?: 'placeholder'
}

/** A config without problems, from which pipelines can be built. */
export interface CheckedConfig {
  /** The path as it is shown to people. */
  readonly file: string
  /** Digest of the file and of the files that it names, but not of the values of its references. */
  readonly revision: string
  readonly pipelines: readonly CheckedPipeline[]
  /** The parsed file: with references instead of their values, and with `HIDDEN` instead of secrets. */
  readonly written: unknown
  readonly files: Files
  /** Secrets, each with the text that replaces it in any output: a reference, or `HIDDEN` if the file contains the secret. */
  readonly secrets: ReadonlyMap<string, string>
  /** The value of every reference, with the reference, and the secrets. With them, a comparison does not depend on the machine. */
  readonly references: ReadonlyMap<string, string>
  /** References whose value is a placeholder; empty in a config that can be run. */
  readonly placeholders: readonly Unresolved[]
  /** Absolute paths of all files that were read: the config file, the files that it names, and those of references. */
  readonly watched: readonly string[]
  /** Their texts, secrets included. */
  contents(): Contents
  /** Probable mistakes in valid settings, in the order of the file. */
  readonly warnings: readonly Warning[]
  /** The lines of the file, for code frames; without the secrets that are written in it. */
  readonly lines: readonly string[]
  locationOf(pointer: string): SourceLocation
  /** Without the warnings that a comment in the file silences. */
  notSilenced(warnings: readonly Warning[]): readonly Warning[]
}

export type ReadResult =
  | { readonly ok: true; readonly config: CheckedConfig }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly lines: readonly string[] }

/** Reads and checks a whole config file. Starts nothing; reports every problem at once, in the order of the file. */
export function readConfig(path: string, options: ReadOptions): ReadResult {
  const file = relative(options.cwd, path) || path
  const contents = new Map<string, string>()
  const files = filesIn(dirname(path), {
    collected: contents,
    contents: options.contents,
    within: options.within,
  })
  const inClear = (config: unknown) => secretPlaces(config, options)
  if (options.text !== undefined) contents.set(path, options.text)
  const text = open(file, () => options.text ?? files.read(basename(path)), inClear)
  const { lines } = text
  if (text.problems.length > 0 || !('value' in text)) return { ok: false, problems: text.problems, lines }

  const substituted = substitute(text.value, options.environment, dirname(path), options.contents)
  const check = (value: unknown, unresolved: readonly ProviderProblem[]) =>
    checkPipelines(value, text, { ...options, files, unresolved })
  const secretsFound = secretValues(text.value, substituted, options)
  const { pipelines, problems, standIns, placeholders } =
    options.unresolved === 'placeholder'
      ? checkWithPlaceholders(substituted, check)
      : { ...check(substituted.value, substituted.problems), standIns: [], placeholders: [] }
  const secrets = new Map([...standIns, ...secretsFound.map(({ value, shown }) => [value, shown] as const)])
  const redact = redactor(secrets)
  // Messages of plugins can quote values.
  if (problems.length > 0)
    return { ok: false, problems: problems.map((one) => withoutSecrets(one, redact)).sort(byLocation), lines }
  for (const plugin of options.external?.values() ?? [])
    if ('file' in plugin && plugin.file !== undefined) contents.set(plugin.file.path, plugin.file.text)
  let warnings: readonly Warning[] | undefined
  const findWarnings = (): readonly Warning[] =>
    lint(pipelines, text, {
      ...options,
      files,
      inClear: inClear(text.value),
      secrets: secretsFound,
      redact,
      resolved: substituted.resolved,
    }).sort(byLocation)
  return {
    ok: true,
    config: {
      ...originOf(contents, substituted, secrets),
      file,
      pipelines,
      written: hidden(text.value, inClear(text.value)),
      files,
      secrets,
      placeholders,
      // Only on demand: a reload shows no warnings, and with thousands of rules finding them takes half of its time.
      get warnings() {
        warnings ??= findWarnings()
        return warnings
      },
      lines,
      locationOf: (pointer) => text.locationOf(pointer),
      notSilenced: (others) => notSilenced(others, text),
    },
  }
}

/** The files and the values of references that the config was made from. */
function originOf(
  contents: ReadonlyMap<string, string>,
  { resolved, read, texts }: Substituted,
  secrets: ReadonlyMap<string, string>,
): Pick<CheckedConfig, 'revision' | 'references' | 'watched' | 'contents'> {
  const values = resolved.map(({ value, reference }) => [value, reference] as const)
  return {
    revision: hash('sha256', [...contents.values()].join('\0'), 'hex').slice(0, 12),
    references: new Map([...values, ...secrets]),
    watched: [...new Set([...contents.keys(), ...read])],
    contents: () => new Map([...texts, ...contents]),
  }
}

function hidden(value: unknown, secrets: readonly SecretPlace[]): unknown {
  const pointers = new Set(secrets.map(({ pointer }) => pointer))
  const walk = (inner: unknown, pointer: string): unknown => {
    if (pointers.has(pointer)) return HIDDEN
    if (Array.isArray(inner)) return inner.map((element, index) => walk(element, child(pointer, index)))
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(
      Object.entries(inner).map(([key, member]) => [key, walk(member, child(pointer, key))]),
    )
  }
  return walk(value, '')
}

function open(
  file: string,
  read: () => string,
  secrets: (config: unknown) => readonly SecretPlace[],
): SourceText | Pick<SourceText, 'problems' | 'lines'> {
  try {
    return new SourceText(file, read(), (config) => secrets(config).map(({ pointer }) => pointer))
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error
    const { code, message } = error
    return { problems: [{ code, location: { file, line: 1, column: 1 }, pointer: '', message }], lines: [] }
  }
}

const byLocation = (a: Pick<Problem, 'location'>, b: Pick<Problem, 'location'>): number =>
  a.location.line - b.location.line || a.location.column - b.location.column
