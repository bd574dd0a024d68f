import type { ProbeReport } from '../config/probe.js'
import { type Finding, formatLocation, type Problem, type Warning } from '../config/problem.js'
import type { ReadResult } from '../config/read.js'
import { sourceFrame } from '../lib/terminal/frames.js'
import { type Style, styleFor } from '../lib/terminal/text.js'
import type { Io } from './command.js'

/** A problem or a warning, ready to be printed. */
interface LocatedFinding extends Pick<Finding, 'severity' | 'code' | 'help'>, Omit<Problem, 'code'> {}

/** Problems and warnings that a probe of the external systems found. */
type ProbeFindings = Pick<ProbeReport, 'problems' | 'warnings'>

/** All problems and warnings of a config, and those of a probe: errors first, both in the order of the file. */
export function findingsOf(
  read: ReadResult,
  outside: ProbeFindings = { problems: [], warnings: [] },
): LocatedFinding[] {
  const warnings = [...(read.ok ? read.config.warnings : []), ...outside.warnings]
  const problems = [...(read.ok ? [] : read.problems), ...outside.problems]
  return [...problems.map(ofProblem), ...warnings.map(ofWarning)].sort(
    ({ severity: one, location: a }, { severity: other, location: b }) =>
      one.localeCompare(other) || a.line - b.line || a.column - b.column,
  )
}

const ofProblem = (problem: Problem): LocatedFinding => ({
  ...problem,
  severity: 'error',
  help: explainWith(problem.code),
})

const ofWarning = ({ name, ...warning }: Warning): LocatedFinding => ({
  ...warning,
  code: name,
  severity: 'warning',
  help: explainWith(name),
})

const WIDTH = 120
const COLOURS = { error: 'red', warning: 'yellow' } as const

/** Problems and warnings for people, each with the lines of the file that it is about, and their count. */
export function problemReport(
  read: ReadResult,
  { terminal, env }: Pick<Io, 'terminal' | 'env'>,
  outside?: ProbeFindings,
): string {
  const style = styleFor(terminal.err, env)
  const { lines } = read.ok ? read.config : read
  const findings = findingsOf(read, outside)
  const shown = foldWarnings(findings).map(([first, ...others]) =>
    [report(first, lines, style, terminal.columns ?? WIDTH), ...alsoAt(others)].join('\n'),
  )
  return `${shown.join('\n\n')}\n\n${countOf(findings)}.\n`
}

type Fold = readonly [first: LocatedFinding, ...others: LocatedFinding[]]

/** Groups warnings by name: a cluster with one broker has the same one for every topic. Errors stay separate. */
function foldWarnings(findings: readonly LocatedFinding[]): Fold[] {
  const folds = new Map<string, [LocatedFinding, ...LocatedFinding[]]>()
  for (const [index, finding] of findings.entries()) {
    const key = finding.severity === 'warning' ? finding.code : String(index)
    const fold = folds.get(key)
    if (fold === undefined) folds.set(key, [finding])
    else fold.push(finding)
  }
  return [...folds.values()]
}

/** One line each, without the lines of the file. */
const alsoAt = (others: readonly LocatedFinding[]): string[] =>
  others.length === 0
    ? []
    : ['  also:', ...others.map(({ location, message }) => `    ${formatLocation(location)}  ${message}`)]

function report(finding: LocatedFinding, lines: readonly string[], style: Style, width: number): string {
  const { severity, code, location, pointer, message, expected, found, suggestion, help } = finding
  const colour = COLOURS[severity]
  const output = [
    `${style('bold', formatLocation(location))}${pointer === '' ? '' : `  ${pointer}`}`,
    `  ${style(colour, `${severity === 'warning' ? 'warning ' : ''}${code}`)}: ${message}`,
  ]
  if (lines.length > 0) output.push('', sourceFrame(lines, location, colour, style, width), '')
  if (expected !== undefined) output.push(`  expected: ${expected}`)
  if (found !== undefined) output.push(`  found:    ${found}`)
  if (suggestion !== undefined) output.push(`  ${suggestion}`)
  output.push(style('dim', `  "${help}" explains it`))
  return output.join('\n')
}

function countOf(findings: readonly LocatedFinding[]): string {
  const counts = (['error', 'warning'] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]
  })
  return counts.flat().join(', ')
}

/** The command that explains an error code or warning. The command, unlike the pages in docs/, is always available. */
const explainWith = (code: string): string => `headgate help ${code}`

/** All problems and warnings for programs. */
export const findingsAsJson = (read: ReadResult, outside?: ProbeReport): Finding[] =>
  findingsOf(read, outside).map(({ location, ...finding }) => ({
    severity: finding.severity,
    code: finding.code,
    file: location.file,
    line: location.line,
    column: location.column,
    endLine: location.end?.line ?? location.line,
    endColumn: location.end?.column ?? location.column,
    pointer: finding.pointer,
    message: finding.message,
    expected: finding.expected,
    found: finding.found,
    suggestion: finding.suggestion,
    help: finding.help,
  }))

/** One JSON document for programs. `ok` agrees with the exit code. */
export function problemsAsJson(read: ReadResult, ok: boolean, outside?: ProbeReport): string {
  const problems = findingsAsJson(read, outside)
  const file = read.ok ? read.config.file : read.problems[0]?.location.file
  const revision = read.ok ? read.config.revision : null
  const probed = outside && { checked: outside.checked, unchecked: outside.unchecked }
  return `${JSON.stringify({ ok, file, revision, problems, ...probed }, undefined, 2)}\n`
}

/** Workflow commands of GitHub Actions, one per line: annotations in a pull request. */
export const problemsForGithub = (read: ReadResult, outside?: ProbeReport): string =>
  [
    ...findingsOf(read, outside).map(workflowCommand),
    ...(outside?.unchecked ?? []).map(
      ({ message }) => `::notice title=not checked::${escapeData(message)}\n`,
    ),
  ].join('')

function workflowCommand(finding: LocatedFinding): string {
  const { severity, code, location, message, expected, found, suggestion, help } = finding
  const { file, line, column, end } = location
  const properties: [string, string | number][] = [
    ['file', file],
    ['line', line],
    ['col', column],
    // GitHub accepts columns only if both are on one line.
    ...(end?.line === line ? [['endColumn', end.column] as [string, number]] : []),
    ...(end === undefined ? [] : [['endLine', end.line] as [string, number]]),
    ['title', code],
  ]
  const text = [
    message,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(found === undefined ? [] : [`found: ${found}`]),
    ...(suggestion === undefined ? [] : [suggestion]),
    `"${help}" explains it`,
  ].join('\n')
  const head = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`).join(',')
  return `::${severity} ${head}::${escapeData(text)}\n`
}

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
