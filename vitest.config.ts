import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests of seconds to minutes: property tests, fuzzing, random damages, published suites. `npm run test:unit` leaves them out. */
export const LONG = [
  'test/suites/**/*.test.ts',
  'test/fuzz/**/*.test.ts',
  'test/conformance/built-in-plugins.test.ts',
  'test/http/over-tls.test.ts',
  'test/ledger/backlog.test.ts',
  'test/ledger/damaged-index.test.ts',
  'test/ledger/durable-ledger.test.ts',
  'test/ledger/stored-rows.test.ts',
  'test/lib/regex-search.test.ts',
  'test/pipeline/acknowledge.test.ts',
  'test/plugins/post-commit/cxone-ack/odd-upstreams.test.ts',
  'test/plugins/sink/kafka/kafka.test.ts',
  'test/plugins/sink/kafka/log/record-log.test.ts',
  'test/plugins/transform/json-schema/agreement.test.ts',
  'test/plugins/transform/json-schema/work.test.ts',
  'test/plugins/transform/route/jsonata-budget.test.ts',
  'test/plugins/transform/route/rule-index.test.ts',
  'test/plugins/transform/route/word-search.test.ts',
]

/** Of processes and brokers, one test at a time: several would slow each other beyond their time-outs. */
const ALONE = { maxWorkers: 1, sequence: { groupOrder: 1 } }

/** Tests that start processes or brokers get longer, and run in processes of their own: node-rdkafka needs a main thread. */
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    // A bound, not a wait: on a busy machine a second is soon over.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', './test/helpers/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      reporter: ['text-summary'],
      reportsDirectory: '.cache/coverage',
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{e2e,kafka,faults}/**', ...LONG],
          // Imports are most of the work of small tests: files share a process and its modules, and leave them as they found them.
          isolate: false,
          restoreMocks: true,
          maxWorkers: availableParallelism(),
        },
      },
      {
        extends: true,
        test: { name: 'long', include: LONG, maxWorkers: availableParallelism() },
      },
      {
        extends: true,
        test: {
          ...ALONE,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: ['test/{kafka,faults}/**/*.test.ts'],
          globalSetup: './test/kafka/setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...ALONE,
        },
      },
    ],
  },
})
