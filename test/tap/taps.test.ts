import { expect, onTestFinished, test } from 'vitest'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { createTaps, MOST_TAPS } from '../../src/tap/taps.js'
import { testContext } from '../helpers/context.js'
import { passedOf, readerOf, wishFor } from './setup.js'

function tapsOf() {
  const metrics = new ProcessMetrics()
  const { log, lines } = testContext()
  const taps = createTaps({ metrics, log, secrets: () => new Map() })
  onTestFinished(taps.close)
  const shown = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('headgate_tap_'))
  return { taps, lines, shown }
}

test('there are so many at once and no more, and who leaves makes room', async () => {
  const { taps, shown } = tapsOf()
  const started = Array.from({ length: MOST_TAPS }, () => taps.start(wishFor(), readerOf()))
  expect(started).not.toContain(undefined)
  expect(taps.full()).toBe(true)
  const reader = readerOf()
  expect(taps.start(wishFor(), reader)).toBeUndefined()
  expect(reader.lines).toEqual([])
  expect(await shown()).toContain(`headgate_tap_subscribers ${MOST_TAPS}`)
  started[0]?.leave()
  expect(taps.full()).toBe(false)
  expect(taps.start(wishFor(), reader)).toBeDefined()
})

test('what is not shown is counted over all taps', async () => {
  const { taps, shown } = tapsOf()
  for (let n = 0; n < 2; n++) taps.start(wishFor({ rate: 1 }), readerOf())
  for (let n = 0; n < 4; n++) for (const tap of taps.running) tap.offer(passedOf({}))
  expect(await shown()).toContain('headgate_tap_skipped_total 6')
})

test('closing ends all of them with the reason', () => {
  const { taps } = tapsOf()
  const readers = [readerOf(), readerOf()]
  for (const reader of readers) taps.start(wishFor(), reader)
  taps.close()
  expect(taps.running.size).toBe(0)
  for (const { lines, ended } of readers)
    expect([lines.at(-1), ended]).toEqual([{ kind: 'end', why: 'stopping' }, 'ended'])
})

test('the log says that somebody looks on, and at what', () => {
  const { taps, lines } = tapsOf()
  taps.start(wishFor({ limit: 1 }), readerOf())
  for (const tap of taps.running) tap.offer(passedOf({}))
  expect(lines).toMatchObject([
    { level: 'info', fields: { event: 'tap', payload: 0 }, message: 'events are shown to somebody who taps' },
    { level: 'info', message: 'a tap has ended' },
  ])
})
