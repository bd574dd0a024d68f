import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import type { PublishedSuite } from '../suites/count.js'

/** Files that take less are not worth a line. */
const SLOW_MS = 10_000
const SHOWN = 8

/**
 * Ends a run with a line for each published suite (`suite NAME: N cases, N exceptions`), a line for each of the slowest files
 * (`slow: SECONDS FILE`), and one line that scripts can read: `tests: N passed, N failed, N skipped`.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        counts[test.result().state]++
        const { publishedSuite } = test.meta()
        if (publishedSuite !== undefined) console.log(lineOf(publishedSuite))
      }
    }
    for (const line of slowest(modules)) console.log(line)
    const { passed, failed, skipped, pending } = counts
    console.log(`tests: ${passed} passed, ${failed} failed, ${skipped + pending} skipped`)
  }
}

const lineOf = ({ name, cases, exceptions }: PublishedSuite): string =>
  `suite ${name}: ${cases} cases${exceptions === 0 ? '' : `, ${exceptions} documented exceptions`}`

function slowest(modules: readonly TestModule[]): string[] {
  return modules
    .map((module) => ({ file: relative(process.cwd(), module.moduleId), ms: module.diagnostic().duration }))
    .filter(({ ms }) => ms >= SLOW_MS)
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, SHOWN)
    .map(({ file, ms }) => `slow: ${String(Math.round(ms / 1000)).padStart(4)} s  ${file}`)
}
