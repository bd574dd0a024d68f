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
import { type Environment, type ProviderProblem, substitute } from './providers.js'
import { HIDDEN, type SecretPlace, secretPlaces, secretValues, withoutSecrets } from './secrets.js'
import { readSourceText, type SourceText } from './source-text.js'

/** What reading depends on beside the file itself. */
export interface ReadOptions {
  readonly plugins: readonly AnyDefinition[]
  /** What `loadPlugins` made of the names of plugins that are no built-ins. */
  readonly external?: ExternalPlugins
  readonly environment: Environment
  /** True where strangers can reach the intake and unverified senders are not allowed. */
  readonly exposed: boolean
  /** True if Kafka clients may load libraries and run programs. */
  readonly clientCode?: boolean
  /** Paths are shown relative to it. */
  readonly cwd: string
  /** What the file is to say, where that is not what it says. */
  readonly text?: string
  /** All files as another process has read them, in place of those on disk. */
  readonly contents?: Contents
  /** Only files below the folder of the config file are read: a stranger names them. */
  readonly within?: boolean
  /**
   * What becomes of a reference that cannot be resolved: a problem where absent. With `placeholder`, those of sources, sinks
   * and post-commit stages are stood in for: such a config can be rehearsed, and must not be run.
   */
  readonly unresolved?: 'placeholder'
}

/** A config that can be built. */
export interface CheckedConfig {
  /** As it is shown to people. */
  readonly file: string
  /** Digest of the file and of the files it names, but not of what its references stand for. */
  readonly revision: string
  readonly pipelines: readonly CheckedPipeline[]
  /** What the file says: references as such, and `HIDDEN` in place of the secrets that are written in it. */
  readonly written: unknown
  readonly files: Files
  /** Secrets, each with the text that is shown in its place: a reference, or `HIDDEN` if it is written in the file. */
  readonly secrets: ReadonlyMap<string, string>
  /** Every value that a reference brought, with the reference, and the secrets: what is compared must not depend on a machine. */
  readonly references: ReadonlyMap<string, string>
  /** References that something stands in for; empty in a config that can be run. */
  readonly placeholders: readonly Unresolved[]
  /** Absolute paths of all files that it was made of: itself, those it names, those that references read. */
  readonly watched: readonly string[]
  /** What they say, secrets included. */
  contents(): Contents
  /** What is allowed and probably not meant, in the order of the file. */
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
    seen: contents,
    contents: options.contents,
    within: options.within,
  })
  const inClear = (config: unknown) => secretPlaces(config, options)
  if (options.text !== undefined) contents.set(path, options.text)
  const text = open(file, () => options.text ?? files.read(basename(path)), inClear)
  const { lines } = text
  if (text.problems.length > 0 || !('value' in text)) return { ok: false, problems: text.problems, lines }

  const folder = dirname(path)
  const substituted = substitute(text.value, options.environment, folder, options.contents)
  const check = (value: unknown, unresolved: readonly ProviderProblem[]) =>
    checkPipelines(value, text, { ...options, files, unresolved })
  const secretsFound = secretValues(text.value, substituted, options)
  const { pipelines, problems, standIns, placeholders } =
    options.unresolved === 'placeholder'
      ? checkWithPlaceholders(substituted, check)
      : { ...check(substituted.value, substituted.problems), standIns: [], placeholders: [] }
  const secrets = new Map([...standIns, ...secretsFound.map(({ value, shown }) => [value, shown] as const)])
  const redact = redactor(secrets)
  // Plugins quote what they complain of.
  if (problems.length > 0)
    return { ok: false, problems: problems.map((one) => withoutSecrets(one, redact)).sort(byLocation), lines }
  for (const plugin of options.external?.values() ?? [])
    if ('file' in plugin && plugin.file !== undefined) contents.set(plugin.file.path, plugin.file.text)
  const revision = hash('sha256', [...contents.values()].join('\0'), 'hex').slice(0, 12)
  const watched = [...new Set([...contents.keys(), ...substituted.read])]
  // Only when somebody asks: a reload does not, and of thousands of rules they take half of the time.
  const findWarnings = (): readonly Warning[] =>
    lint(pipelines, text, {
      ...options,
      files,
      inClear: inClear(text.value),
      secrets: secretsFound,
      redact,
      resolved: substituted.resolved,
    }).sort(byLocation)
  let warnings: readonly Warning[] | undefined
  const { locationOf } = text
  return {
    ok: true,
    config: {
      file,
      revision,
      pipelines,
      written: hidden(text.value, inClear(text.value)),
      files,
      secrets,
      references: new Map([
        ...substituted.resolved.map(({ value, reference }) => [value, reference] as const),
        ...secrets,
      ]),
      placeholders,
      watched,
      contents: () => new Map([...substituted.texts, ...contents]),
      get warnings() {
        warnings ??= findWarnings()
        return warnings
      },
      lines,
      locationOf,
      notSilenced: (others) => notSilenced(others, text),
    },
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
    return readSourceText(file, read(), (config) => secrets(config).map(({ pointer }) => pointer))
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error
    const { code, message } = error
    return { problems: [{ code, location: { file, line: 1, column: 1 }, pointer: '', message }], lines: [] }
  }
}

const byLocation = (a: Pick<Problem, 'location'>, b: Pick<Problem, 'location'>): number =>
  a.location.line - b.location.line || a.location.column - b.location.column
