import { expect } from 'vitest'
import { scrape } from '../../src/sandbox/reconcile.js'
import type { Deployment } from '../helpers/processes/deployment.js'
import type { Instances } from '../helpers/processes/instances.js'

const LATER = { timeout: 60_000, interval: 100 }
/** The session of a member that was killed, and its open transaction, end first. */
const TAKEN_OVER = { timeout: 90_000, interval: 500 }

/** Kafka has each of these events once, whatever was answered meanwhile, and each is acknowledged. */
export async function expectOnceAndAcknowledged(
  { records, cxone, headgate }: Deployment,
  answered: Iterable<string>,
): Promise<void> {
  const pending = async () => (await scrape(headgate.admin)).sum('headgate_ledger_pending')
  await expect.poll(pending, LATER).toBe(0)
  const written = (await records()).map(({ headers }) => headers['headgate-event-id'] ?? '')
  expect(written.filter((id, at) => written.indexOf(id) !== at)).toEqual([])
  expect(written.toSorted()).toEqual([...answered].toSorted())
  expect(written.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
}

/** The same for instances that share an inbox. */
export async function expectOnceOfInstances(
  { records, cxone, running }: Instances,
  answered: ReadonlySet<string>,
): Promise<void> {
  const idsOf = async () => (await records()).map(({ headers }) => headers['headgate-event-id'] ?? '')
  await expect.poll(async () => new Set(await idsOf()).size, TAKEN_OVER).toBe(answered.size)
  const pending = async () => {
    const values = await Promise.all(
      running.map(async ({ admin }) => (await scrape(admin)).sum('headgate_ledger_pending')),
    )
    return values.reduce((sum, value) => sum + value, 0)
  }
  await expect.poll(pending, TAKEN_OVER).toBe(0)
  const written = await idsOf()
  expect(written.filter((id, at) => written.indexOf(id) !== at)).toEqual([])
  expect(written.toSorted()).toEqual([...answered].toSorted())
  await expect.poll(() => written.filter((id) => !cxone.acknowledged.has(id)), TAKEN_OVER).toEqual([])
}
