import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openAdmin } from '../../src/admin/admin.js'
import type { LedgerStatus } from '../../src/admin/api.js'
import { ledgerCommand } from '../../src/commands/ledger.js'
import type { Secure } from '../../src/http/server.js'
import { makePair, noOpenssl, read } from '../helpers/certificates.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

const report: LedgerStatus = {
  pending: [{ age: 'under 1 minute', count: 12 }],
  failed: {
    count: 1,
    first: [
      {
        id: 'lost-one',
        reason: { code: 'HG_ACK_GAVE_UP', message: 'POST failed with status 404.' },
        failedAt: 0,
      },
    ],
  },
  partitions: [{ topic: 'events', partition: 2, known: 100, acknowledged: 88 }],
  remembersSince: 0,
}

async function withAdmin({
  tokenFile = '',
  secure,
  report: shown = report,
}: {
  tokenFile?: string
  secure?: Secure
  report?: LedgerStatus
} = {}) {
  const { log } = testContext()
  const options = { host: '127.0.0.1', port: 0, tokenFile, open: ['/health'], log, secure }
  const admin = await openAdmin(options, {
    notReady: () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    details: () => ({}),
    ledgers: async () => ({ orders: shown }),
    reload: async () => ({ done: {} }),
    retryFailed: async () => ({ orders: 1 }),
  })
  onTestFinished(() => admin.close())
  return { env: { HEADGATE_ADMIN_PORT: new URL(admin.url).port } }
}

test('shows pending acknowledgements by age, failed ones with the reason, and the lag of each partition', async () => {
  const { code, out } = await runCommand(ledgerCommand, {}, await withAdmin())
  expect(code).toBe(0)
  expect(out).toMatch(/under 1 minute +12/)
  expect(out).toContain('1970-01-01T00:00:00.000Z  lost-one  POST failed with status 404.')
  expect(out).toMatch(/events, partition 2 +100 +88 +12/)
})

test('of a pipeline with an inbox, each partition is shown with its owner and what is left to do', async () => {
  const inbox = [
    { topic: 'inbox', partition: 0, owner: 'pod-a/1', notWorkedOff: 3, notAcknowledged: 5, oldestAt: 0 },
    { topic: 'inbox', partition: 1, notWorkedOff: 0, notAcknowledged: 0 },
  ]
  const { out } = await runCommand(ledgerCommand, {}, await withAdmin({ report: { ...report, inbox } }))
  expect(out).toMatch(/ 0 {2}pod-a\/1 +3 +5 {2}1970-01-01T00:00:00\.000Z/)
  expect(out).toMatch(/ 1 {2}none, or not known +0 +0/)
  expect(out).not.toContain('indexed up to')
})

test('of a pipeline whose source has several topics, each partition is shown with its topic', async () => {
  const inbox = ['orders', 'returns'].map((topic) => ({
    ...{ topic, partition: 0, owner: 'pod-a/1', notWorkedOff: 3, notAcknowledged: 5, oldestAt: 0 },
  }))
  const { out } = await runCommand(ledgerCommand, {}, await withAdmin({ report: { ...report, inbox } }))
  expect(out).toMatch(/orders +0 {2}pod-a\/1 +3 +5.*\n.*returns +0 {2}pod-a\/1/)
})

test('retry says how many acknowledgements are pending again', async () => {
  const { out } = await runCommand(ledgerCommand, { arguments: ['retry'] }, await withAdmin())
  expect(out).toBe('orders: 1 failed acknowledgements are pending again\n')
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

test('where a token is wanted it sends the one of the file, and otherwise tells what is missing', async () => {
  const tokenFile = join(temporaryDirectory(), 'tokens')
  writeFileSync(tokenFile, 'a-token-of-some-length\n')
  const { env } = await withAdmin({ tokenFile })
  const known = { env: { ...env, HEADGATE_ADMIN_TOKEN_FILE: tokenFile } }
  expect(await runCommand(ledgerCommand, { options: { json: true } }, known)).toMatchObject({ code: 0 })
  const { code, err } = await runCommand(ledgerCommand, {}, { env })
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/ failed with status 401: Send "Authorization: Bearer"/),
  ])
})

describe.skipIf(noOpenssl !== undefined)('by https', () => {
  const secure = (folder: string, clientCertificates: boolean): Secure => {
    const pair = read(makePair(folder, 'server'))
    const { cert: ca } = clientCertificates ? read(makePair(folder, 'clients')) : { cert: undefined }
    return {
      clientCertificates,
      context: () => ({ ...pair, ca }),
      onRenewed: () => {},
      onHandshakeFailed: () => {},
    }
  }

  test('it asks whom it is told to trust', async () => {
    const folder = temporaryDirectory()
    const { env } = await withAdmin({ secure: secure(folder, false) })
    const ca = join(folder, 'server.crt')
    expect(await runCommand(ledgerCommand, { options: { ca, json: true } }, { env })).toMatchObject({
      code: 0,
      err: '',
    })

    const known = { env: { ...env, HEADGATE_ADMIN_TLS_CERT: ca, HEADGATE_ADMIN_TLS_KEY: 'server.key' } }
    const untrusted = await runCommand(ledgerCommand, {}, known)
    expect([untrusted.code, untrusted.err]).toEqual([
      1,
      expect.stringContaining('Give the CA of its certificate with --ca'),
    ])
    const elsewhere = await runCommand(ledgerCommand, { options: { ca, serverName: 'headgate' } }, { env })
    expect(elsewhere.err).toContain('Give the name in the certificate with --server-name')
  })

  test('it shows a certificate of its own where one is wanted', async () => {
    const folder = temporaryDirectory()
    const { env } = await withAdmin({ secure: secure(folder, true) })
    const own = makePair(folder, 'me', {
      by: { cert: join(folder, 'clients.crt'), key: join(folder, 'clients.key') },
    })
    const ca = join(folder, 'server.crt')
    const shown = { ca, clientCert: own.cert, clientKey: own.key }
    expect(await runCommand(ledgerCommand, { options: shown }, { env })).toMatchObject({ code: 0, err: '' })
    expect((await runCommand(ledgerCommand, { options: { ca } }, { env })).code).toBe(1)
  })
})
