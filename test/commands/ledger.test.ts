import { expect, onTestFinished, test } from 'vitest'
import { openAdmin } from '../../src/admin/admin.js'
import { ledgerCommand } from '../../src/commands/ledger.js'
import type { LedgerReport } from '../../src/pipeline/ledger/ledger.js'
import { runCommand } from '../helpers/recorded-io.js'

const report: LedgerReport = {
  pending: [{ age: 'under 1 minute', count: 12 }],
  failed: {
    count: 1,
    first: [
      { id: 'lost-one', reason: { code: 'HG_ACK_GAVE_UP', message: 'POST was answered 404.' }, failedAt: 0 },
    ],
  },
  partitions: [{ topic: 'events', partition: 2, known: 100, acknowledged: 88 }],
  remembersSince: 0,
}

async function withAdmin() {
  const admin = await openAdmin('127.0.0.1', 0, {
    notReady: () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    details: () => ({}),
    ledgers: () => ({ orders: report }),
    reload: async () => ({ done: {} }),
    retryFailed: () => ({ orders: 1 }),
  })
  onTestFinished(() => admin.close())
  return { env: { HEADGATE_ADMIN_PORT: new URL(admin.url).port } }
}

test('shows what is owed by age, what was given up and why, and the lag of each partition', async () => {
  const { code, out } = await runCommand(ledgerCommand, {}, await withAdmin())
  expect(code).toBe(0)
  expect(out).toMatch(/under 1 minute +12/)
  expect(out).toContain('1970-01-01T00:00:00.000Z  lost-one  POST was answered 404.')
  expect(out).toMatch(/events, partition 2 +100 +88 +12/)
})

test('retry says how many are owed again', async () => {
  const { out } = await runCommand(ledgerCommand, { arguments: ['retry'] }, await withAdmin())
  expect(out).toBe('orders: 1 acknowledgements are owed again\n')
})

test('as JSON it is what the admin listener says', async () => {
  const { out } = await runCommand(ledgerCommand, { options: { json: true } }, await withAdmin())
  expect(JSON.parse(out)).toEqual({ orders: report })
})

test('where no Headgate runs it says so', async () => {
  const { code, err } = await runCommand(ledgerCommand, {}, { env: { HEADGATE_ADMIN_PORT: '1' } })
  expect([code, err]).toEqual([1, expect.stringContaining('Is it running?')])
})

test('another action is wrong usage', async () => {
  const { code, err } = await runCommand(ledgerCommand, { arguments: ['rety'] }, {})
  expect([code, err]).toEqual([2, expect.stringContaining('Did you mean "ledger retry"?')])
})
