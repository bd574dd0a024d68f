import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import type { TapFilter } from '../../src/tap/lines.js'
import { MOST_TAPS, OpenTap, type TapRequest, Taps } from '../../src/tap/tap.js'
import { testContext } from '../helpers/context.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { completedEvent, readerOf, requestFor } from './setup.js'

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
})

function tapping(request: Partial<TapRequest> = {}) {
  const reader = readerOf()
  const host = { secrets: () => new Map(), skipped: vi.fn(), failed: vi.fn(), onEnd: vi.fn() }
  const tap = new OpenTap(1, requestFor(request), reader, host)
  onTestFinished(() => tap.leave())
  const kinds = () => reader.lines.map(({ kind }) => kind)
  return { tap, reader, host, kinds }
}

const only = (filter: Partial<TapFilter>) => ({ filter: { ...requestFor().filter, ...filter } })
const delivered = (id: string, name = 'orders') =>
  completedEvent({
    name,
    outcome: { kind: 'delivered', id, receipt: { topic: 'events', partition: 0, offset: 1 } },
  })
const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'It does not fit.')
const rejected = completedEvent({ outcome: { kind: 'rejected', id: 'r', error }, error })

describe('filters', () => {
  test.each<[string, Partial<TapFilter>, string[]]>([
    ['none', {}, ['a', 'b', 'r', 'c']],
    ['pipeline', { pipelines: ['others'] }, ['c']],
    ['outcome', { outcomes: ['rejected', 'dropped'] }, ['r']],
    ['id', { ids: ['b', 'c'] }, ['b', 'c']],
    ['code', { codes: ['HG_SCHEMA_VIOLATION'] }, ['r']],
    ['rule', { routes: ['eu'] }, ['b']],
    ['all of several have to fit', { ids: ['b', 'c'], pipelines: ['orders'] }, ['b']],
  ])('by %s', (_name, filter, ids) => {
    const { tap, reader } = tapping(only(filter))
    for (const completed of [
      delivered('a'),
      { ...delivered('b'), rule: 'eu' },
      rejected,
      delivered('c', 'others'),
    ])
      tap.offer(completed)
    expect(reader.lines.slice(1).map(({ id }) => id)).toEqual(ids)
  })

  test('the rule that dropped an event is asked for', async () => {
    const { tap, reader } = tapping(only({ routes: ['tests'] }))
    const dropped = (id: string, rule: string) =>
      completedEvent({ outcome: { kind: 'dropped', id }, askRule: async () => rule })
    tap.offer(dropped('a', 'noise'))
    tap.offer(dropped('b', 'tests'))
    await vi.advanceTimersByTimeAsync(0)
    expect(reader.lines.slice(1)).toMatchObject([{ id: 'b', outcome: 'dropped', route: 'tests' }])
  })
})

describe('bounds', () => {
  test('what is beyond the rate is counted, and told once a second', () => {
    const { tap, reader, host } = tapping({ rate: 3 })
    for (let n = 0; n < 10; n++) tap.offer(delivered(`${n}`))
    expect(reader.lines.slice(1).map(({ id }) => id)).toEqual(['0', '1', '2'])
    vi.advanceTimersByTime(1000)
    expect(reader.lines.at(-1)).toEqual({ kind: 'skipped', count: 7 })
    expect(host.skipped).toHaveBeenCalledTimes(7)
    for (let n = 0; n < 10; n++) tap.offer(delivered(`${n}`))
    expect(reader.lines.filter(({ kind }) => kind === 'event')).toHaveLength(6)
  })

  test('large bodies that are looked through count for more', () => {
    const { tap, kinds } = tapping({ rate: 10, view: { payload: 10, masks: [] } })
    const large = completedEvent({ event: eventOf('a', { text: 'x'.repeat(32 * 1024 * 8) }) })
    for (let n = 0; n < 10; n++) tap.offer(large)
    expect(kinds()).toEqual(['tapping', 'event', 'event'])
  })

  test('a reader that does not read loses events, and goes on when it does', () => {
    const { tap, reader, kinds } = tapping()
    reader.takes = false
    tap.offer(delivered('a'))
    for (let n = 0; n < 50; n++) tap.offer(delivered(`${n}`))
    vi.advanceTimersByTime(20_000)
    expect(kinds()).toEqual(['tapping', 'event'])
    reader.takes = true
    tap.resume()
    vi.advanceTimersByTime(1000)
    tap.offer(delivered('z'))
    expect(reader.lines.slice(2)).toMatchObject([{ kind: 'skipped', count: 50 }, { id: 'z' }])
  })

  test('one that has not read for half a minute is dropped', () => {
    const { tap, reader, host } = tapping()
    reader.takes = false
    tap.offer(delivered('a'))
    vi.advanceTimersByTime(32_000)
    expect(reader.ended).toBe('dropped')
    expect(host.onEnd).toHaveBeenCalledTimes(1)
  })

  test('it ends after so many events, having told what it left out', () => {
    const { tap, reader, kinds, host } = tapping({ rate: 2, limit: 3 })
    for (let n = 0; n < 4; n++) tap.offer(delivered(`${n}`))
    vi.advanceTimersByTime(500)
    tap.offer(delivered('last'))
    expect(kinds()).toEqual(['tapping', 'event', 'event', 'event', 'skipped', 'end'])
    expect(reader.lines.at(-1)).toEqual({ kind: 'end', why: 'limit' })
    expect(reader.ended).toBe('ended')
    tap.offer(delivered('later'))
    tap.end('stopping')
    tap.leave()
    expect(kinds()).toHaveLength(6)
    expect(host.onEnd).toHaveBeenCalledTimes(1)
  })

  test('it ends after its time, and says meanwhile that it lives', () => {
    const { reader, kinds } = tapping({ duration: 40_000 })
    vi.advanceTimersByTime(39_999)
    expect(kinds()).toEqual(['tapping', 'idle', 'idle'])
    vi.advanceTimersByTime(1)
    expect(reader.lines.at(-1)).toEqual({ kind: 'end', why: 'time' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a tap that has ended is written nothing more', () => {
    const { tap, reader, kinds, host } = tapping({ duration: 1000 })
    tap.leave()
    tap.offer(delivered('a'))
    vi.advanceTimersByTime(60_000)
    expect(kinds()).toEqual(['tapping'])
    expect(reader.ended).toBe('no')
    expect(host.onEnd).toHaveBeenCalledTimes(1)
  })

  test('an event that cannot be shown ends the tap and nothing else', async () => {
    const { tap, reader, host } = tapping()
    tap.offer(
      completedEvent({
        outcome: { kind: 'dropped', id: 'd' },
        askRule: () => Promise.reject(new Error('the plugin cannot explain itself')),
      }),
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(reader.lines.at(-1)).toEqual({ kind: 'end', why: 'failed' })
    expect(host.failed).toHaveBeenCalledTimes(1)
    expect(tapping().tap.offer(completedEvent({ pipeline: undefined as never }))).toBeUndefined()
  })
})

function tapsOf() {
  const metrics = new ProcessMetrics()
  const { log, lines } = testContext()
  const taps = new Taps({ metrics, log, secrets: () => new Map() })
  onTestFinished(() => taps.close())
  const shown = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('headgate_tap_'))
  return { taps, lines, shown }
}

test('there are so many at once and no more, and who leaves makes room', async () => {
  const { taps, shown } = tapsOf()
  const started = Array.from({ length: MOST_TAPS }, () => taps.start(requestFor(), readerOf()))
  expect(started).not.toContain(undefined)
  expect(taps.full).toBe(true)
  const reader = readerOf()
  expect(taps.start(requestFor(), reader)).toBeUndefined()
  expect(reader.lines).toEqual([])
  expect(await shown()).toContain(`headgate_tap_subscribers ${MOST_TAPS}`)
  started[0]?.leave()
  expect(taps.full).toBe(false)
  expect(taps.start(requestFor(), reader)).toBeDefined()
})

test('what is not shown is counted over all taps', async () => {
  const { taps, shown } = tapsOf()
  for (let n = 0; n < 2; n++) taps.start(requestFor({ rate: 1 }), readerOf())
  for (let n = 0; n < 4; n++) for (const tap of taps.running) tap.offer(completedEvent({}))
  expect(await shown()).toContain('headgate_tap_skipped_total 6')
})

test('closing ends all of them with the reason', () => {
  const { taps } = tapsOf()
  const readers = [readerOf(), readerOf()]
  for (const reader of readers) taps.start(requestFor(), reader)
  taps.close()
  expect(taps.running.size).toBe(0)
  for (const { lines, ended } of readers)
    expect([lines.at(-1), ended]).toEqual([{ kind: 'end', why: 'stopping' }, 'ended'])
})

test('the log says that somebody looks on, and at what', () => {
  const { taps, lines } = tapsOf()
  taps.start(requestFor({ limit: 1 }), readerOf())
  for (const tap of taps.running) tap.offer(completedEvent({}))
  expect(lines).toMatchObject([
    { level: 'info', fields: { event: 'tap', payload: 0 }, message: 'a tap was opened' },
    { level: 'info', message: 'a tap was closed' },
  ])
})
