import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one line that scripts can read: `tests: N passed, N failed, N skipped`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) counts[test.result().state]++
    }
    const { passed, failed, skipped, pending } = counts
    console.log(`tests: ${passed} passed, ${failed} failed, ${skipped + pending} skipped`)
  }
}
