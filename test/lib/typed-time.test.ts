import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTime } from '../../src/lib/typed-time.js'

const TYPED_AT = Date.UTC(2026, 0, 31, 12)
const MINUTE = 60_000

test.each([
  ['now', 0],
  ['90m', 90 * MINUTE],
  ['90m ago', 90 * MINUTE],
  ['  90m ago ', 90 * MINUTE],
  ['1h30m', 90 * MINUTE],
  ['1h 30m ago', 90 * MINUTE],
  ['1 hour 30 minutes ago', 90 * MINUTE],
  ['90 min ago', 90 * MINUTE],
  ['2 days', 2 * 24 * 60 * MINUTE],
  ['1w ago', 7 * 24 * 60 * MINUTE],
  ['500ms', 500],
  ['0s', 0],
])('%j is that long ago', (text, ago) => {
  expect(readTime(text, TYPED_AT)).toBe(TYPED_AT - ago)
})

test.each([
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2024-02-29', Date.UTC(2024, 1, 29)],
  ['2026-01-31T08:00:00Z', Date.UTC(2026, 0, 31, 8)],
  ['2026-01-31T08:00+02:00', Date.UTC(2026, 0, 31, 6)],
  ['2026-01-31 08:00Z', Date.UTC(2026, 0, 31, 8)],
  ['2026-01-31T08:00:00.250Z', Date.UTC(2026, 0, 31, 8, 0, 0, 250)],
])('%j is that moment', (text, at) => {
  expect(readTime(text, TYPED_AT)).toBe(at)
})

test.each([
  '',
  'ago',
  '5',
  '90',
  '-5m',
  '90m ago ago',
  '90mago',
  'm90',
  '1y',
  '1h30',
  '5ss',
  '5constructor',
  'yesterday',
  '31.1.2026',
  '2026-13-01',
  '2026-00-01',
  '2026-02-00',
  '2026-02-29',
  '2026-02-30T08:00:00Z',
  '2026-01-31T08:00:00',
  '2026-01-31T25:00:00Z',
  '2026-01-31T08:00:00 Z',
])('%j is no time', (text) => {
  expect(readTime(text, TYPED_AT)).toBeUndefined()
})

test('a time that is read is a finite number, whatever was typed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9 a-zTZ:+.-]{0,30}$/)), (text) => {
      const at = readTime(text, TYPED_AT)
      expect(at === undefined || Number.isFinite(at)).toBe(true)
    }),
  )
})
