import { expect, test } from 'vitest'
import { acknowledgementRoutes } from '../../src/admin/acknowledgements.js'
import type { CheckedConfig } from '../../src/config/read.js'
import { metric } from '../../src/contract/index.js'
import type { Pipeline } from '../../src/pipeline/pipeline.js'
import { idleAdmin } from './idle-admin.js'

const EXPIRY = metric({ name: 'token_expiry_timestamp_seconds', type: 'gauge', help: 'When it expires.' })

const acknowledging = (name: string, state: object) =>
  ({
    name,
    runtime: { targetState: 'RUNNING' },
    stages: { postCommit: [{ name: 'post-commit.0.ack' }] },
    acknowledgers: [{ acknowledger: { state: () => state } }],
    ledger: {
      report: async () => ({
        pending: [{ age: 'under 1 minute', count: 3 }],
        failed: {
          count: 1,
          first: [{ id: 'a', failedAt: 0, reason: { code: 'HG_ACK_GAVE_UP', message: 'No: hush-hush.' } }],
        },
        partitions: [],
        remembersSince: 0,
      }),
    },
  }) as unknown as Pipeline

const silent = { name: 'silent', acknowledgers: [] } as unknown as Pipeline

const config = {
  pipelines: [{ name: 'orders', postCommit: [{ definition: { name: 'ack', metrics: [EXPIRY] } }] }],
} as unknown as CheckedConfig

test('each pipeline that acknowledges has its pending and failed ones, its rate and the figures of its plugin', async () => {
  const state = { active: 2, isHeld: false, isDown: false, limit: 12.345, pausedFor: 2600 }
  const { url } = await idleAdmin(
    acknowledgementRoutes({
      metrics: {
        read: (declarations) =>
          declarations.map((declaration) => ({
            declaration,
            labels: { pipeline: 'orders' },
            values: [1700],
          })),
      },
      config: () => config,
      running: () => [acknowledging('orders', state), silent],
      redact: (text) => text.replaceAll('hush-hush', '***'),
    }),
  )
  const response = await fetch(`${url}/acknowledgements`)
  expect(await response.json()).toEqual({
    pipelines: [
      {
        pipeline: 'orders',
        state: 'RUNNING',
        pending: [{ age: 'under 1 minute', count: 3 }],
        failed: {
          count: 1,
          first: [{ id: 'a', failedAt: 0, reason: { code: 'HG_ACK_GAVE_UP', message: 'No: ***.' } }],
        },
        stages: [
          {
            ...{ stage: 'post-commit.0.ack', plugin: 'ack', active: 2, isHeld: false, isDown: false },
            ...{ limit: 12.3, pausedSeconds: 2.6 },
            figures: [{ name: EXPIRY.name, help: 'When it expires.', value: 1700 }],
          },
        ],
      },
    ],
  })
})
