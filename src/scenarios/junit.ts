import type { Covered } from './coverage.js'
import { neverTaken } from './coverage.js'
import { differenceLines, trace } from './report.js'
import { type FileResult, passed, type ScenarioResult } from './run.js'

/** The suite that says what no scenario took. */
const COVERAGE = 'coverage'

/**
 * The results as JUnit XML, as CI systems read it: a suite a file, a case a scenario. Where coverage is required, it is a
 * suite of its own, so that what fails the run is in the report.
 */
export function junit(files: readonly FileResult[], required: readonly Covered[] | undefined): string {
  const suites = files.map(({ file, results }) =>
    suite(
      file,
      results.map((result) => scenarioCase(file, result)),
      results.filter((result) => !passed(result)).length,
    ),
  )
  if (required !== undefined) {
    const cases = required.map((way) => {
      const { pipeline, way: taken, count } = way
      const message = count === 0 ? neverTaken(way) : undefined
      return testCase(
        pipeline,
        `${taken.kind} ${taken.name}`,
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
  const failure = passed(result)
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
  return `${open}>\n      <failure${attributes({ message, type: 'expectation' })}>${escaped(lines.join('\n'))}</failure>\n    </testcase>\n`
}

const attributes = (values: { readonly [name: string]: string | number }): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
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

const escaped = (text: string): string =>
  text
    .replace(NOT_XML, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"\t\r]/g, (character) => ENTITIES[character] ?? character)
