import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { instancesRoutes } from '../../src/admin/instances.js'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Ledger, LedgerInstances } from '../../src/ledger/ledger.js'
import { idleAdmin } from './idle-admin.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const ACTIVE: LedgerInstances = {
  kind: 'one-active',
  state: { kind: 'active', since: '2026-01-01T00:00:00.000Z' },
}

/** An admin listener of a pipeline with these instances. */
async function served(instances: () => Promise<LedgerInstances>) {
  const ledger = { instances: vi.fn(instances) }
  const { url } = await idleAdmin(
    instancesRoutes({
      running: () => [{ name: 'orders', ledger: ledger as unknown as Ledger }],
      redact: (text) => text.replaceAll('hush-hush', '***'),
    }),
  )
  const ask = async (pipeline = 'orders') => {
    const response = await fetch(`${url}/pipelines/${pipeline}/instances`)
    return { status: response.status, body: await response.json() }
  }
  return { ask, ledger }
}

test('consoles that ask at about the same time share a look, and a later one looks again', async () => {
  const { ask, ledger } = await served(async () => ACTIVE)
  const found = { status: 200, body: ACTIVE }
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([found, found, found])
  expect(await ask()).toEqual(found)
  expect(ledger.instances).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(5000)
  expect(await ask()).toEqual(found)
  expect(ledger.instances).toHaveBeenCalledTimes(2)
})

test('if Kafka does not respond, the reason is told, without secrets', async () => {
  const { ask } = await served(async () => {
    throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'No broker responds to hush-hush.')
  })
  expect(await ask()).toEqual({
    status: 503,
    body: { error_code: 503, message: 'HG_KAFKA_UNAVAILABLE: No broker responds to ***.' },
  })
})

test('a pipeline that is not there has no instances', async () => {
  const { ask } = await served(async () => ACTIVE)
  expect(await ask('returns')).toMatchObject({
    status: 404,
    body: { message: 'There is no pipeline returns.' },
  })
})
