import type { ProbeReport } from '../config/probe.js'
import type { ReadResult } from '../config/read.js'
import { type Finding, findingsOf } from './problems.js'

/** One JSON document for programs. `ok` is what the exit code says. */
export function problemsAsJson(read: ReadResult, ok: boolean, outside?: ProbeReport): string {
  const problems = findingsOf(read, outside).map(({ location, ...finding }) => ({
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
  const file = read.ok ? read.config.file : read.problems[0]?.location.file
  const revision = read.ok ? read.config.revision : null
  const looked = outside && { checked: outside.checked, unchecked: outside.unchecked }
  return `${JSON.stringify({ ok, file, revision, problems, ...looked }, undefined, 2)}\n`
}

/** Workflow commands of GitHub Actions, one a line: it shows them beside the lines of the file in a pull request. */
export const problemsForGithub = (read: ReadResult, outside?: ProbeReport): string =>
  [
    ...findingsOf(read, outside).map(workflowCommand),
    ...(outside?.unchecked ?? []).map(
      ({ message }) => `::notice title=not checked::${escapeData(message)}\n`,
    ),
  ].join('')

function workflowCommand(finding: Finding): string {
  const { severity, code, location, message, expected, found, suggestion, help } = finding
  const { file, line, column, end } = location
  const properties: [string, string | number][] = [
    ['file', file],
    ['line', line],
    ['col', column],
    // GitHub takes columns only where both are of one line.
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
