import type { Reporter, TestModule } from 'vitest/node'
import type { PublishedSuite } from '../suites/count.js'

/**
 * Ends a run with a line for each published suite (`suite NAME: N cases, N exceptions`), and one line that scripts can read:
 * `tests: N passed, N failed, N skipped`.
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
    const { passed, failed, skipped, pending } = counts
    console.log(`tests: ${passed} passed, ${failed} failed, ${skipped + pending} skipped`)
  }
}

const lineOf = ({ name, cases, exceptions }: PublishedSuite): string =>
  `suite ${name}: ${cases} cases${exceptions === 0 ? '' : `, ${exceptions} documented exceptions`}`
