import { hash } from 'node:crypto'
import { basename, dirname, relative } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import type { AnyDefinition, Files } from '../contract/index.js'
import { pointer } from '../lib/json/pointer.js'
import { redactor } from '../process/redact.js'
import { checkPipelines } from './check.js'
import type { CheckedPipeline } from './checked-pipeline.js'
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
  /** If another process has checked `contents`: plugins do not check their settings again, which can take seconds. */
  readonly checked?: Pick<CheckedFiles, 'revision' | 'watched'>
  /** With `contents`: files that are not among them are read from the disk. */
  readonly othersOnDisk?: boolean
  /** Reads only files below the folder of the config file: a stranger names them. */
  readonly within?: boolean
  /**
   * Without it, a reference that cannot be resolved is a problem. With `placeholder`, its value in sources, sinks and post-commit
   * stages is a placeholder: such a config is good for a dry run, and must not be run.
   */
  readonly unresolved?: 'placeholder'
}

/** The files of a config in which a process has found no problem, for other processes. */
export interface CheckedFiles extends Pick<CheckedConfig, 'revision' | 'watched'> {
  readonly contents: Contents
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
    othersOnDisk: options.othersOnDisk,
    within: options.within,
  })
  let inClear: readonly SecretPlace[] = []
  const findSecrets = (config: unknown) => {
    inClear = secretPlaces(config, options)
    return inClear
  }
  if (options.text !== undefined) contents.set(path, options.text)
  const text = open(file, () => options.text ?? files.read(basename(path)), findSecrets)
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
  for (const plugin of options.external?.values() ?? []) {
    if (!('file' in plugin) || plugin.file === undefined) continue
    const { path: pluginPath, text: pluginText } = plugin.file
    if (options.checked !== undefined && options.contents?.get(pluginPath) !== pluginText)
      throw changedSince(relative(options.cwd, pluginPath))
    contents.set(pluginPath, pluginText)
  }
  let warnings: readonly Warning[] | undefined
  const findWarnings = (): readonly Warning[] =>
    lint(pipelines, text, {
      ...options,
      files,
      inClear,
      secrets: secretsFound,
      redact,
      resolved: substituted.resolved,
    }).sort(byLocation)
  return {
    ok: true,
    config: {
      ...originOf(contents, substituted, secrets, options),
      file,
      pipelines,
      written: hidden(text.value, inClear),
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
  { checked, contents: provided = new Map() }: ReadOptions,
): Pick<CheckedConfig, 'revision' | 'references' | 'watched' | 'contents'> {
  const values = resolved.map(({ value, reference }) => [value, reference] as const)
  // Without the checks of plugins, the files that only these read are not among `contents`.
  const { revision, watched } = checked ?? {
    revision: hash('sha256', [...contents.values()].join('\0'), 'hex').slice(0, 12),
    watched: [...new Set([...contents.keys(), ...read])],
  }
  return {
    revision,
    references: new Map([...values, ...secrets]),
    watched,
    contents: () => new Map([...(checked === undefined ? [] : provided), ...texts, ...contents]),
  }
}

const changedSince = (file: string): HeadgateError =>
  new HeadgateError('HG_RELOAD_FAILED', `The plugin ${file} has changed since the config was checked.`)

function hidden(value: unknown, secrets: readonly SecretPlace[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const secret of secrets) {
    const names = pointer(secret.pointer).tokens
    const around = names.slice(0, -1).reduce((at: unknown, name) => (at as Parent)[name], copy)
    ;(around as Parent)[names.at(-1) ?? ''] = HIDDEN
  }
  return copy
}

type Parent = { [name: string]: unknown }

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
