import { expect, test } from 'vitest'
import { eventOf } from '../helpers/inline-plugins.js'
import { openLedger, type TestLedger } from './setup.js'

const MANY = 25_000

/** The acknowledgement of every event has failed once and is due again; so many do not stay in memory. */
async function withFailing(): Promise<TestLedger> {
  const opened = await openLedger({ maxPending: 1_000_000, entries: 200_000 })
  const { ledger } = opened
  for (let event = 0; event < MANY; event++) {
    await opened.take(eventOf(`bad-${event}`))
    const pending = ledger.take(0, ledger.now(), true)
    if (pending) ledger.retry(pending, ledger.now())
  }
  return opened
}

/** Takes so many acknowledgements, and returns those without an attempt; all others fail again. */
function newAmongNext({ ledger }: TestLedger, count: number): string[] {
  const newIds: string[] = []
  for (let at = 0; at < count; at++) {
    const pending = ledger.take(0, ledger.now())
    if (pending === undefined) continue
    if (pending.attempts === 0) {
      newIds.push(pending.committed.id)
      ledger.acknowledged(pending)
    } else ledger.retry(pending, ledger.now())
  }
  return newIds
}

test('failing acknowledgements that are spilled to disk do not hold up new ones, nor after a restart', async () => {
  const before = await withFailing()
  await before.ledger.refill()
  await before.take(eventOf('good-1'))
  expect(newAmongNext(before, 10)).toEqual(['good-1'])

  await before.take(eventOf('good-2'))
  await before.stop()
  const after = await openLedger({ ...before, maxPending: 1_000_000, entries: 200_000 })
  await after.take(eventOf('good-3'))
  expect(after.ledger.backlog().count).toBe(MANY + 2)
  await after.ledger.refill()
  expect(newAmongNext(after, 20).toSorted()).toEqual(['good-2', 'good-3'])
}, 60_000)

test('when failing acknowledgements succeed at last, each is made once', async () => {
  const opened = await withFailing()
  const { ledger } = opened
  const done = new Set<string>()
  for (let round = 0; round < 50 && ledger.backlog().count > 0; round++) {
    for (;;) {
      const pending = ledger.take(0, ledger.now())
      if (pending === undefined) break
      done.add(pending.committed.id)
      ledger.acknowledged(pending)
    }
    await ledger.refill()
  }
  expect([done.size, ledger.backlog().count]).toEqual([MANY, 0])
}, 60_000)
