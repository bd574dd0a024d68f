import { distance } from 'fastest-levenshtein'
import type { ErrorCode } from '../contract/errors.js'

/** A place in a file that people edit: 1-based, as editors count. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
  readonly column: number
  /** After the last character; absent if only a point is known. */
  readonly end?: { readonly line: number; readonly column: number }
}

/** A mistake in a file that the operator wrote. */
export interface Problem {
  readonly code: ErrorCode
  readonly location: SourceLocation
  /** JSON Pointer into the file; empty for the whole. */
  readonly pointer: string
  /** One sentence. */
  readonly message: string
  readonly expected?: string
  /** As written in the file, so that a ${...} reference is shown and not its value, which may be secret. */
  readonly found?: string
  readonly suggestion?: string
}

/** A probable mistake in a valid config. */
export interface Warning extends Omit<Problem, 'code' | 'expected' | 'found'> {
  /** As `docs/lint.md` lists it; a comment in the file can silence it. */
  readonly name: string
}

/** A problem or a warning for programs: an element of what `headgate validate --format json` prints. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  /** An error code, or the name of a lint. */
  readonly code: string
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly endLine: number
  /** After the last character. */
  readonly endColumn: number
  readonly pointer: string
  readonly message: string
  readonly expected?: string | undefined
  readonly found?: string | undefined
  readonly suggestion?: string | undefined
  /** The command that explains the code. */
  readonly help: string
}

/** `plugins.config.json:14:60`: terminals and editors turn it into a link. */
export const formatLocation = ({ file, line, column }: SourceLocation): string => `${file}:${line}:${column}`

/** A problem as a few lines of text. */
export function formatProblem(problem: Problem): string {
  const { location, pointer, code, message, expected, found, suggestion } = problem
  const lines = [
    `${formatLocation(location)}  ${pointer === '' ? '(the whole file)' : pointer}`,
    `  ${code}: ${message}`,
  ]
  if (expected !== undefined) lines.push(`  expected: ${expected}`)
  if (found !== undefined) lines.push(`  found:    ${found}`)
  if (suggestion !== undefined) lines.push(`  ${suggestion}`)
  return lines.join('\n')
}

/** The valid name that was probably meant; undefined if none is close. */
export function nearest(name: string, valid: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const ranked = valid
    .map((candidate) => ({ candidate, far: distance(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
  const [best] = ranked
  return best !== undefined && best.far <= Math.max(2, Math.floor(name.length / 3))
    ? best.candidate
    : undefined
}

export function didYouMean(name: string, valid: readonly string[]): { suggestion: string } | undefined {
  const meant = nearest(name, valid)
  return meant === undefined ? undefined : { suggestion: `Did you mean "${meant}"?` }
}
