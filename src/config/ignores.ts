import type { Comment } from './comments.js'
import type { LintName } from './lint-names.js'
import { didYouMean, type Warning } from './problem.js'
import type { SourceText } from './source-text.js'

/** `headgate-ignore: name, name` and, after a space, why. */
const IGNORE = /^headgate-ignore\b:?\s*([\w-]+(?:\s*,\s*[\w-]+)*)?/

/**
 * Takes away the warnings that a comment silences: one on their line, on the line before, or there where the object that
 * they are in begins. Adds a warning for each name in such a comment that is unknown, or that silences nothing and is none
 * of those that are looked for elsewhere.
 */
export function silence(
  warnings: readonly Warning[],
  text: SourceText,
  known: ReadonlySet<string>,
  foundElsewhere: ReadonlySet<string>,
): Warning[] {
  const ignores = text.comments.flatMap(ignoresIn)
  const silenced = new Set<Warning>()
  const complaints = ignores.flatMap(({ name, comment }) => {
    if (name === undefined || !known.has(name)) return [unknown(name, comment, known)]
    const meant = warnings.filter(
      (warning) => warning.name === name && linesOf(warning, text).has(comment.about),
    )
    for (const warning of meant) silenced.add(warning)
    return meant.length > 0 || foundElsewhere.has(name) ? [] : [unused(name, comment)]
  })
  return [...warnings.filter((warning) => !silenced.has(warning)), ...complaints]
}

/** Without what a comment silences. */
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
  /** Undefined where the comment has none. */
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

function unknown(name: string | undefined, comment: Comment, known: ReadonlySet<string>): Warning {
  return {
    name: 'ignore-unknown' satisfies LintName,
    location: comment.location,
    pointer: '',
    ...(name === undefined
      ? {
          message: 'This comment does not name what it silences.',
          suggestion: 'Write the name that the warning shows: "// headgate-ignore: rule-never-matches".',
        }
      : { message: `There is no warning "${name}".`, ...didYouMean(name, [...known]) }),
  }
}

const unused = (name: string, comment: Comment): Warning => ({
  name: 'ignore-unused' satisfies LintName,
  location: comment.location,
  pointer: '',
  message: `Nothing to silence: there is no "${name}" on line ${comment.about}.`,
  suggestion: 'Remove the comment, or move it to the line before the one that the warning names.',
})
