import { formatLocation } from '../config/problem.js'
import { cut, printable } from '../lib/terminal/printable.js'
import type { Style } from '../lib/terminal/style.js'
import { type Covered, neverTaken } from './coverage.js'
import type { Difference } from './difference.js'
import { type FileResult, passed, type ScenarioResult } from './run.js'

/** More differences than these are only counted. */
const MOST_DIFFERENCES = 20
/** The longest value that is shown. */
const LONGEST_VALUE = 400

/** The results for people: a line a scenario, and for each that failed what differs and what its rules saw. */
export function report(
  files: readonly FileResult[],
  ways: readonly Covered[] | undefined,
  required: boolean,
  style: Style,
): string {
  const results = files.flatMap(({ results }) => results)
  const failed = results.filter((result) => !passed(result)).length
  const blocks = files.map(({ file, results }) =>
    [file, ...results.map((result) => scenarioLines(result, style))].join('\n'),
  )
  const count = `${results.length} ${results.length === 1 ? 'scenario' : 'scenarios'}`
  const verdict =
    failed === 0 ? style('green', `${count}, all pass.`) : style('red', `${count}, ${failed} failed.`)
  return `${[...blocks, [verdict, ...coverageLines(ways, required, style)].join('\n')].join('\n\n')}\n`
}

function coverageLines(ways: readonly Covered[] | undefined, required: boolean, style: Style): string[] {
  if (ways === undefined) return []
  const share = (kind: Covered['way']['kind']) => {
    const all = ways.filter(({ way }) => way.kind === kind)
    return { taken: all.filter(({ count }) => count > 0).length, of: all.length }
  }
  const rules = share('rule')
  const letters = share('dead-letter')
  const made = letters.of === 0 ? '' : `; ${letters.taken} of ${letters.of} stages made dead letters`
  return [
    `${rules.taken} of ${rules.of} rules matched, "otherwise" included${made}.`,
    ...ways
      .filter(({ count }) => count === 0)
      .map((way) => `${required ? style('red', 'error') : style('bold', 'warning')}: ${neverTaken(way)}`),
  ]
}

function scenarioLines(result: ScenarioResult, style: Style): string {
  const { scenario, differences } = result
  const name = printable(scenario.name)
  if (passed(result)) return `  ${style('green', '✓')} ${name}`
  return [
    `  ${style('red', '✗')} ${name}  ${style('dim', formatLocation(scenario.location))}`,
    ...differenceLines(differences).map((line) => `      ${line}`),
    ...trace(result).map((line) => style('dim', `      ${line}`)),
  ].join('\n')
}

/** What differs, without any styles: JUnit has the same words. */
export function differenceLines(differences: readonly Difference[]): string[] {
  const lines = differences
    .slice(0, MOST_DIFFERENCES)
    .flatMap(({ field, expected, found }) => [
      printable(field),
      `  expected  ${value(expected)}`,
      `  found     ${value(found)}`,
    ])
  const more = differences.length - MOST_DIFFERENCES
  return more > 0 ? [...lines, `and ${more} more differences`] : lines
}

/** Each stage that the event came to, what it decided, and what it looked at. */
export function trace({ rehearsed }: ScenarioResult): string[] {
  return [
    'what happened:',
    ...rehearsed.steps.flatMap(({ stage, decision, error, details }) => [
      `  ${stage}: ${decision}${error === undefined ? '' : `, ${error.code}: ${value(error.message)}`}`,
      ...(error?.violations ?? []).map(
        ({ pointer, message }) => `    at ${printable(pointer)}: ${value(message)}`,
      ),
      ...details.flatMap(({ name, result, looked }) => [
        `    ${printable(name)}: ${value(result)}`,
        ...looked.map(({ at, found }) => `      ${printable(at)}: ${value(found)}`),
      ]),
    ]),
  ]
}

const value = (text: string): string => cut(printable(text), LONGEST_VALUE)
