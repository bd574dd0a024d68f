import { hash } from 'node:crypto'
import { basename, dirname, relative } from 'node:path'
import type { HeadgateError } from '../../errors.js'
import type { AnyDefinition, Files } from '../../plugin.js'
import { type CheckedPipeline, checkPipelines } from './check.js'
import { filesIn } from './files.js'
import type { Place, Problem } from './problem.js'
import { type Environment, substitute } from './providers.js'
import { readSourceText, type SourceText } from './source-text.js'

/** What reading depends on beside the file itself. */
export interface ReadOptions {
  readonly plugins: readonly AnyDefinition[]
  readonly environment: Environment
  /** True where strangers can reach the intake and unverified senders are not allowed. */
  readonly exposed: boolean
  /** Paths are shown relative to it. */
  readonly cwd: string
}

/** A config that can be built. */
export interface CheckedConfig {
  /** As it is shown to people. */
  readonly file: string
  /** Digest of the file and of the files it names, but not of what its references stand for. */
  readonly revision: string
  readonly pipelines: readonly CheckedPipeline[]
  readonly files: Files
  /** Values that came from a provider, with the reference that may be shown instead. */
  readonly secrets: ReadonlyMap<string, string>
  placeOf(pointer: string): Place
}

export type ReadResult =
  | { readonly ok: true; readonly config: CheckedConfig }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads and checks a whole config file. Starts nothing; reports every problem at once, in the order of the file. */
export function readConfig(path: string, options: ReadOptions): ReadResult {
  const file = relative(options.cwd, path) || path
  const contents = new Map<string, string>()
  const files = filesIn(dirname(path), contents)
  const source = open(file, () => files.read(basename(path)))
  if ('problems' in source && source.problems.length > 0) return { ok: false, problems: source.problems }
  const text = source as SourceText

  const { value, problems: unresolved, secrets } = substitute(text.value, options.environment)
  const { pipelines, problems } = checkPipelines(value, text, { ...options, files, unresolved })
  if (problems.length > 0) return { ok: false, problems: [...problems].sort(byPlace) }
  const revision = hash('sha256', [...contents.values()].join('\0'), 'hex').slice(0, 12)
  return { ok: true, config: { file, revision, pipelines, files, secrets, placeOf: text.placeOf } }
}

function open(file: string, read: () => string): SourceText | { readonly problems: readonly Problem[] } {
  try {
    return readSourceText(file, read())
  } catch (error) {
    const { code, message } = error as HeadgateError
    return { problems: [{ code, place: { file, line: 1, column: 1 }, pointer: '', message }] }
  }
}

const byPlace = (a: Problem, b: Problem): number =>
  a.place.line - b.place.line || a.place.column - b.place.column
