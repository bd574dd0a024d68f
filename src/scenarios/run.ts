import type { Rehearsal, Rehearsed } from '../dry-run/dry-run.js'
import { differences } from './compare.js'
import type { Difference } from './difference.js'
import type { Scenario } from './read.js'

/** What came of a scenario; it passed where nothing differs. */
export interface ScenarioResult {
  readonly scenario: Scenario
  readonly rehearsed: Rehearsed
  readonly differences: readonly Difference[]
  /** Milliseconds. */
  readonly duration: number
}

/** The results of one file of scenarios. */
export interface FileResult {
  readonly file: string
  readonly results: readonly ScenarioResult[]
}

export const passed = ({ differences }: ScenarioResult): boolean => differences.length === 0

/** Every request says what it sends, so that a source that looks at it is content. */
const HEADERS = { 'content-type': 'application/json' }

export async function runScenario(scenario: Scenario, rehearsal: Rehearsal): Promise<ScenarioResult> {
  const { pipeline, body, verify } = scenario
  const startedAt = performance.now()
  const request = { headers: { ...HEADERS, ...scenario.headers }, body }
  const rehearsed = await rehearsal.run(pipeline, request, { skipVerification: !verify })
  return {
    scenario,
    rehearsed,
    differences: differences(scenario, rehearsed),
    duration: performance.now() - startedAt,
  }
}
