import { formatLocation } from '../config/problem.js'
import type { Covered } from './coverage.js'
import { type FileResult, passed } from './run.js'

/** The results for programs, as one JSON document. */
export function jsonReport(files: readonly FileResult[], ways: readonly Covered[] | undefined): string {
  const results = files.flatMap(({ file, results }) =>
    results.map((result) => {
      const { scenario, rehearsed, differences } = result
      const { pipeline, outcome, route, steps } = rehearsed
      return {
        file,
        name: scenario.name,
        place: formatLocation(scenario.location),
        pipeline,
        passed: passed(result),
        outcome: outcome.kind,
        ...(route !== undefined && { route }),
        ...(passed(result) ? {} : { differences, steps }),
      }
    }),
  )
  const failed = results.filter(({ passed }) => !passed).length
  const coverage = ways?.map(({ pipeline, way, count }) => ({ pipeline, ...way, scenarios: count }))
  const report = { scenarios: results.length, failed, results, ...(coverage !== undefined && { coverage }) }
  return `${JSON.stringify(report, undefined, 2)}\n`
}
