import { defineConfig } from 'vitest/config'

/** Tests that start processes or brokers get longer, and run in processes of their own: node-rdkafka needs a main thread. */
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    // A bound, not a wait: on a busy machine a second is soon over.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', './test/helpers/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/{e2e,kafka,faults}/**'] },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: ['test/{kafka,faults}/**/*.test.ts'],
          globalSetup: './test/kafka/setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
