import { expect } from 'vitest'
import { scrape } from '../../src/sandbox/reconcile.js'
import type { Deployment } from '../helpers/processes/deployment.js'

const LATER = { timeout: 60_000, interval: 100 }

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
