import { expect, test } from 'vitest'
import { eventAt, repeatsOf } from '../../torture/events.js'
import { createFaultLog, faultsAround, schedule } from '../../torture/schedule.js'
import { deferred } from '../helpers/deferred.js'

function first<Item>(count: number, items: Iterable<Item>): Item[] {
  const taken: Item[] = []
  for (const item of items) {
    if (taken.length === count) break
    taken.push(item)
  }
  return taken
}
const rows = (seed: number) => {
  const { headgate, instance, rolling, visits, broker, cxone, config, workers, quietFor } = schedule(seed)
  const quiet = Array.from({ length: 300 }, (_, second) => quietFor(second))
  return {
    headgate: first(30, headgate),
    instance: first(30, instance(0)),
    rolling: first(30, rolling),
    visits: first(30, visits),
    coordinator: first(30, schedule(seed, true).broker),
    broker: first(30, broker),
    cxone: first(30, cxone),
    config: first(30, config),
    workers: first(30, workers),
    quiet,
  }
}

test('the same seed gives the same faults, another seed gives others', () => {
  expect(rows(7)).toEqual(rows(7))
  const [one, other] = [rows(7), rows(8)]
  for (const [row, faults] of Object.entries(one))
    expect(faults).not.toEqual(other[row as keyof typeof other])
  expect(first(30, schedule(7).instance(1))).not.toEqual(one.instance)
})

test('the same seed gives the same events and the same redeliveries', () => {
  const events = (seed: number) =>
    JSON.stringify(Array.from({ length: 500 }, (_, n) => [eventAt(n, seed, 'secret'), repeatsOf(n, seed)]))
  expect(events(7)).toBe(events(7))
  expect(events(7)).not.toBe(events(8))
})

test('soon after the start, every kind of fault has come', () => {
  const { headgate, instance, coordinator, broker, cxone, config } = rows(7)
  expect(new Set(instance.slice(0, 6).map(({ signal }) => signal)).size).toBe(3)
  expect(coordinator.slice(0, 4).filter(({ broker }) => broker === undefined)).toHaveLength(2)
  const soon = headgate.slice(0, 6)
  expect(new Set(soon.map(({ signal }) => signal)).size).toBe(2)
  expect(soon.some(({ wiped }) => wiped)).toBe(true)
  expect(soon.some(({ killedAgainAfter }) => killedAgainAfter !== undefined)).toBe(true)
  expect(new Set(broker.slice(0, 2).map(({ kind }) => kind)).size).toBe(2)
  expect(new Set(cxone.slice(0, 4).map(({ kind }) => kind)).size).toBe(4)
  expect(new Set(config.slice(0, 7).map(({ stages }) => stages)).size).toBe(7)
})

test('there are quiet periods, and time for faults between them', () => {
  const { quietFor } = schedule(7)
  const seconds = Array.from({ length: 600 }, (_, second) => quietFor(second))
  const quiet = seconds.filter((left) => left > 0).length
  expect(quiet).toBeGreaterThan(60)
  expect(quiet).toBeLessThan(300)
  for (const left of seconds) expect(left).toBeLessThanOrEqual(10)
})

test('several instances have quiet periods in which a group gets over a member that died', () => {
  const { quietFor } = schedule(7, true)
  const seconds = Array.from({ length: 600 }, (_, second) => quietFor(second))
  const begun = seconds.filter((left, second) => left > 0 && seconds[second - 1] === 0)
  expect(begun.length).toBeGreaterThan(5)
  for (const left of begun) expect(left).toBeGreaterThan(18)
  expect(seconds.filter((left) => left === 0).length).toBeGreaterThan(200)
})

test('the events have some of every kind: records, dead letters, refused ones, and ids that two events share', () => {
  const events = Array.from({ length: 2000 }, (_, n) => eventAt(n, 7, 'secret'))
  const kinds = events.map(({ expected }) => expected.kind)
  for (const kind of ['record', 'dead-letter', 'rejected'])
    expect(kinds.filter((it) => it === kind).length).toBeGreaterThan(3)
  const ids = events.filter(({ expected }) => expected.kind === 'record').map(({ id }) => id)
  expect(new Set(ids).size).toBeLessThan(ids.length)
})

test('a fault is noted while it lasts and when it is over, also where it fails', async () => {
  const log = createFaultLog()
  const { promise, reject } = deferred()
  const during = log.during('broker killed', 'broker 1 was killed', () => promise)
  expect(log.entries).toMatchObject([{ kind: 'broker killed', until: undefined }])
  reject(new Error('it did not start again'))
  await expect(during).rejects.toThrow('it did not start again')
  expect(log.entries[0]?.until).toBeGreaterThanOrEqual(log.entries[0]?.at ?? Number.NaN)
})

test('around a moment are the faults that had not ended before it and had begun by then', () => {
  const fault = (at: number, until: number | undefined) => ({ at, until, kind: 'kind', what: `${at}` })
  const faults = [fault(0, 9), fault(5, 10), fault(12, 15), fault(21, 22), fault(1, undefined)]
  expect(faultsAround(faults, 10, 20).map(({ what }) => what)).toEqual(['5', '12', '1'])
})
