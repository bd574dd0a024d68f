import { expect, test } from 'vitest'
import { LedgerClock } from '../../src/ledger/clock.js'
import type { PendingAck } from '../../src/ledger/rows.js'
import { movableClocks } from '../helpers/movable-clocks.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, type TestLedger } from './setup.js'

const DAY = 24 * 3_600_000
const MINUTE = 60_000

const due = ({ ledger }: TestLedger): PendingAck | undefined => ledger.take(0, ledger.now())

test.each([2 * DAY, -2 * DAY])(
  'a wall clock that is set by %i ms while it runs changes nothing',
  async (by) => {
    const clocks = movableClocks()
    const opened = await openLedger({ window: DAY })
    await opened.take(eventOf('a'))
    const [first] = [due(opened)]
    if (first) opened.ledger.retry(first, opened.ledger.now() + MINUTE)

    clocks.setWall(by)
    expect(due(opened)).toBeUndefined()
    expect(opened.ledger.backlog().oldestAge).toBeLessThan(10_000)
    expect(opened.ledger.backlog().dedupSpan).toBeLessThan(10_000)
    expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })

    clocks.pass(MINUTE)
    const again = due(opened)
    expect(again).toMatchObject({ attempts: 1 })
    expect(opened.ledger.now() - (again?.committedAt ?? 0)).toBeLessThan(MINUTE + 10_000)
  },
)

test.each([2 * DAY, -2 * DAY])(
  'a wall clock that is set by %i ms between two runs changes little',
  async (by) => {
    const clocks = movableClocks()
    const before = await openLedger({ window: DAY })
    for (const id of ['a', 'b']) await before.take(eventOf(id))
    const first = due(before)
    if (first) before.ledger.retry(first, before.ledger.now() + 10 * MINUTE)
    await before.stop()

    clocks.setWall(by)
    const after = await openLedger({ directory: before.directory, kafka: before.kafka, window: DAY })
    // At most an hour of the time between the runs counts: the deadline of a day is far.
    expect(after.ledger.backlog().oldestAge).toBeLessThan(by > 0 ? 3_610_000 : 10_000)
    expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
    expect(due(after)).toMatchObject({ attempts: 0 })
    if (by < 0) expect(due(after)).toBeUndefined()
    clocks.pass(10 * MINUTE)
    expect(due(after)).toMatchObject({ attempts: 1 })

    // The newer one of the two generations of events is still the newer one.
    await after.take(eventOf('c'))
    await after.stop()
    const last = await openLedger({ directory: before.directory, kafka: before.kafka, window: DAY })
    expect(await last.take(eventOf('c'))).toMatchObject({ kind: 'duplicate' })
  },
)

test('an event that a recovery reads is as old as its record, and never in the future', async () => {
  const clocks = movableClocks()
  clocks.setWall(-2 * DAY)
  const clock = new LedgerClock([Date.now() + 5 * DAY, Date.now()])
  const [before, older, newer, after] = [
    clock.now(),
    clock.at(Date.now() - MINUTE),
    clock.at(Date.now() + DAY),
    clock.now(),
  ]
  expect(older).toBeGreaterThanOrEqual(before - MINUTE)
  expect(older).toBeLessThanOrEqual(after - MINUTE)
  expect(newer).toBeGreaterThanOrEqual(before)
  expect(newer).toBeLessThanOrEqual(after)
})

test('the clock of a ledger continues from run to run, and never goes back', () => {
  const clocks = movableClocks()
  const first = new LedgerClock(undefined)
  expect(Math.abs(first.now() - Date.now())).toBeLessThanOrEqual(5)
  let last = first.reading()
  for (const by of [-2 * DAY, 2 * DAY, -1, 90 * DAY, -90 * DAY]) {
    clocks.setWall(by)
    const next = new LedgerClock(last)
    expect(next.now()).toBeGreaterThanOrEqual(last[0])
    expect(next.now() - last[0]).toBeLessThan(3_610_000)
    last = next.reading()
  }
})
