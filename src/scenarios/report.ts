import { formatLocation } from '../config/problem.js'
import { cut, printable, type Style } from '../lib/terminal/text.js'
import { type CoveredWay, neverTaken } from './coverage.js'
import { type Difference, type FileResult, hasPassed, type ScenarioResult } from './run.js'

/** Further differences are only counted. */
const MOST_DIFFERENCES = 20
/** The longest value that is shown. */
const LONGEST_VALUE = 400

/** The results for people: one line per scenario, and for each that failed the differences and the trace of its rules. */
export function report(
  files: readonly FileResult[],
  ways: readonly CoveredWay[] | undefined,
  required: boolean,
  style: Style,
): string {
  const results = files.flatMap(({ results }) => results)
  const failed = results.filter((result) => !hasPassed(result)).length
  const blocks = files.map(({ file, results }) =>
    [file, ...results.map((result) => scenarioLines(result, style))].join('\n'),
  )
  const count = `${results.length} ${results.length === 1 ? 'scenario' : 'scenarios'}`
  const verdict =
    failed === 0 ? style('green', `${count}, all pass.`) : style('red', `${count}, ${failed} failed.`)
  return `${[...blocks, [verdict, ...coverageLines(ways, required, style)].join('\n')].join('\n\n')}\n`
}

function coverageLines(ways: readonly CoveredWay[] | undefined, required: boolean, style: Style): string[] {
  if (ways === undefined) return []
  const share = (kind: CoveredWay['way']['kind']) => {
    const all = ways.filter(({ way }) => way.kind === kind)
    return { reached: all.filter(({ count }) => count > 0).length, total: all.length }
  }
  const rules = share('rule')
  const letters = share('dead-letter')
  const made = letters.total === 0 ? '' : `; ${letters.reached} of ${letters.total} stages made dead letters`
  return [
    `${rules.reached} of ${rules.total} rules matched, "otherwise" included${made}.`,
    ...ways
      .filter(({ count }) => count === 0)
      .map((way) => `${required ? style('red', 'error') : style('bold', 'warning')}: ${neverTaken(way)}`),
  ]
}

function scenarioLines(result: ScenarioResult, style: Style): string {
  const { scenario, differences } = result
  const name = printable(scenario.name)
  if (hasPassed(result)) return `  ${style('green', '✓')} ${name}`
  return [
    `  ${style('red', '✗')} ${name}  ${style('dim', formatLocation(scenario.location))}`,
    ...differenceLines(differences).map((line) => `      ${line}`),
    ...trace(result).map((line) => style('dim', `      ${line}`)),
  ].join('\n')
}

/** The differences without styles, because JUnit reports have the same text. */
function differenceLines(differences: readonly Difference[]): string[] {
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

/** Each stage that the event reached, its decision, and the values that it read. */
function trace({ dryRun }: ScenarioResult): string[] {
  return [
    'what happened:',
    ...dryRun.steps.flatMap(({ stage, decision, error, details }) => [
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

/** The results for programs, as one JSON document. */
export function jsonReport(files: readonly FileResult[], ways: readonly CoveredWay[] | undefined): string {
  const results = files.flatMap(({ file, results }) =>
    results.map((result) => {
      const { scenario, dryRun, differences } = result
      const { pipeline, outcome, route, steps } = dryRun
      return {
        file,
        name: scenario.name,
        place: formatLocation(scenario.location),
        pipeline,
        passed: hasPassed(result),
        outcome: outcome.kind,
        ...(route !== undefined && { route }),
        ...(hasPassed(result) ? {} : { differences, steps }),
      }
    }),
  )
  const failed = results.filter(({ passed }) => !passed).length
  const coverage = ways?.map(({ pipeline, way, count }) => ({ pipeline, ...way, scenarios: count }))
  const report = { scenarios: results.length, failed, results, ...(coverage !== undefined && { coverage }) }
  return `${JSON.stringify(report, undefined, 2)}\n`
}

/** The suite of the rules and dead letters that no scenario reached. */
const COVERAGE = 'coverage'

/**
 * The results as JUnit XML for CI systems: one suite per file, one case per scenario. If coverage is required, it is a separate
 * suite, so that the report contains the reason of every failed run.
 */
export function junit(files: readonly FileResult[], required: readonly CoveredWay[] | undefined): string {
  const suites = files.map(({ file, results }) =>
    suite(
      file,
      results.map((result) => scenarioCase(file, result)),
      results.filter((result) => !hasPassed(result)).length,
    ),
  )
  if (required !== undefined) {
    const cases = required.map((way) => {
      const { pipeline, way: reached, count } = way
      const message = count === 0 ? neverTaken(way) : undefined
      return testCase(
        pipeline,
        `${reached.kind} ${reached.name}`,
        0,
        message === undefined ? undefined : { message, lines: [] },
      )
    })
    suites.push(suite(COVERAGE, cases, required.filter(({ count }) => count === 0).length))
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="headgate test">\n${suites.join('')}</testsuites>\n`
}

const suite = (name: string, cases: readonly string[], failures: number): string =>
  `  <testsuite${attributes({ name, tests: cases.length, failures, errors: 0, skipped: 0 })}>\n${cases.join('')}  </testsuite>\n`

function scenarioCase(file: string, result: ScenarioResult): string {
  const { scenario, differences, duration } = result
  const failure = hasPassed(result)
    ? undefined
    : {
        message: `${differences.map(({ field }) => field).join(', ')} not as expected`,
        lines: [...differenceLines(differences), ...trace(result)],
      }
  return testCase(file, scenario.name, duration, failure)
}

interface Failure {
  readonly message: string
  readonly lines: readonly string[]
}

function testCase(classname: string, name: string, duration: number, failure: Failure | undefined): string {
  const open = `    <testcase${attributes({ classname, name, time: (duration / 1000).toFixed(3) })}`
  if (failure === undefined) return `${open}/>\n`
  const { message, lines } = failure
  return `${open}>\n      <failure${attributes({ message, type: 'expectation' })}>${escapeXml(lines.join('\n'))}</failure>\n    </testcase>\n`
}

const attributes = (values: { readonly [name: string]: string | number }): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')

/** XML 1.0 has no way to write most control characters, not even as a reference, nor half of a surrogate pair. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\r': '&#13;',
}

const escapeXml = (text: string): string =>
  text
    .replace(NOT_XML, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"\t\r]/g, (character) => ENTITIES[character] ?? character)
