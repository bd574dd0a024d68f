import type { ProbeReport } from '../config/probe.js'
import { formatLocation, type Problem, type SourceLocation, type Warning } from '../config/problem.js'
import type { ReadResult } from '../config/read.js'
import { sourceFrame } from '../lib/terminal/frames.js'
import { type Style, styleFor } from '../lib/terminal/style.js'
import type { Io } from './command.js'
import { explainWith } from './help-hint.js'

/** A problem or a warning, as it is shown. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  /** An error code, or the name of a lint. */
  readonly code: string
  readonly location: SourceLocation
  readonly pointer: string
  readonly message: string
  readonly expected?: string
  readonly found?: string
  readonly suggestion?: string
  /** The command that explains the code. */
  readonly help: string
}

/** What the outside says of a config that could be read. */
export type Outside = Pick<ProbeReport, 'problems' | 'warnings'>

/** All that reading a config found, and `outside`: errors first, each kind in the order of the file. */
export function findingsOf(read: ReadResult, outside: Outside = { problems: [], warnings: [] }): Finding[] {
  const warnings = [...(read.ok ? read.config.warnings : []), ...outside.warnings]
  const problems = [...(read.ok ? [] : read.problems), ...outside.problems]
  return [...problems.map(ofProblem), ...warnings.map(ofWarning)].sort(
    ({ severity: one, location: a }, { severity: other, location: b }) =>
      one.localeCompare(other) || a.line - b.line || a.column - b.column,
  )
}

const ofProblem = (problem: Problem): Finding => ({
  ...problem,
  severity: 'error',
  help: explainWith(problem.code),
})

const ofWarning = ({ name, ...warning }: Warning): Finding => ({
  ...warning,
  code: name,
  severity: 'warning',
  help: explainWith(name),
})

const WIDTH = 120
const COLOURS = { error: 'red', warning: 'yellow' } as const

/** Problems and warnings for people, each with the lines of the file that it is about, and how many there are. */
export function problemReport(
  read: ReadResult,
  { terminal, env }: Pick<Io, 'terminal' | 'env'>,
  outside?: Outside,
): string {
  const style = styleFor(terminal.err, env)
  const { lines } = read.ok ? read.config : read
  const findings = findingsOf(read, outside)
  const shown = folded(findings).map(([first, ...others]) =>
    [report(first, lines, style, terminal.columns ?? WIDTH), ...alsoAt(others)].join('\n'),
  )
  return `${shown.join('\n\n')}\n\n${countOf(findings)}.\n`
}

type Fold = readonly [first: Finding, ...others: Finding[]]

/** Warnings of one name together: a cluster with one broker has the same one for every topic. Errors stay by themselves. */
function folded(findings: readonly Finding[]): Fold[] {
  const folds = new Map<string, [Finding, ...Finding[]]>()
  for (const [index, finding] of findings.entries()) {
    const key = finding.severity === 'warning' ? finding.code : String(index)
    const fold = folds.get(key)
    if (fold === undefined) folds.set(key, [finding])
    else fold.push(finding)
  }
  return [...folds.values()]
}

/** A line for each, without those of the file. */
const alsoAt = (others: readonly Finding[]): string[] =>
  others.length === 0
    ? []
    : ['  also:', ...others.map(({ location, message }) => `    ${formatLocation(location)}  ${message}`)]

function report(finding: Finding, lines: readonly string[], style: Style, width: number): string {
  const { severity, code, location, pointer, message, expected, found, suggestion, help } = finding
  const colour = COLOURS[severity]
  const told = [
    `${style('bold', formatLocation(location))}${pointer === '' ? '' : `  ${pointer}`}`,
    `  ${style(colour, `${severity === 'warning' ? 'warning ' : ''}${code}`)}: ${message}`,
  ]
  if (lines.length > 0) told.push('', sourceFrame(lines, location, colour, style, width), '')
  if (expected !== undefined) told.push(`  expected: ${expected}`)
  if (found !== undefined) told.push(`  found:    ${found}`)
  if (suggestion !== undefined) told.push(`  ${suggestion}`)
  told.push(style('dim', `  "${help}" explains it`))
  return told.join('\n')
}

function countOf(findings: readonly Finding[]): string {
  const counts = (['error', 'warning'] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]
  })
  return counts.flat().join(', ')
}
