import { expect, test } from 'vitest'
import { readSelection } from '../../../src/commands/dlq/selection.js'

const NOW = Date.UTC(2026, 0, 31, 12)

test('without options all that has not been replayed is meant', () => {
  expect(readSelection({}, NOW)).toEqual({
    ok: true,
    selection: { filter: {}, onlyPassing: false, includeSettled: false },
  })
})

test.each([
  ['90m', NOW - 90 * 60_000],
  ['90m ago', NOW - 90 * 60_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T08:00:00Z', Date.UTC(2026, 0, 31, 8)],
  ['2026-01-31T08:00+02:00', Date.UTC(2026, 0, 31, 6)],
])('a time may be written as %s', (since, at) => {
  expect(readSelection({ since }, NOW)).toMatchObject({ selection: { filter: { since: at } } })
})

test.each(['yesterday', '31.1.2026', '2026-13-01', '2026-01-31T08:00:00', '5', ''])(
  '%j is no time, and the complaint says what is',
  (until) => {
    const read = readSelection({ until }, NOW)
    expect(read).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('--until should be a time such as')],
    })
  },
)

test('a range that holds nothing is refused', () => {
  expect(readSelection({ since: '1h ago', until: '2h ago' }, NOW)).toEqual({
    ok: false,
    problems: ['--since is later than --until, so no dead letter can match.'],
  })
})

test('a code that does not exist gets a suggestion', () => {
  expect(readSelection({ code: 'HG_SCHEMA_VIOLATON' }, NOW)).toEqual({
    ok: false,
    problems: ['There is no code "HG_SCHEMA_VIOLATON". Did you mean "HG_SCHEMA_VIOLATION"?'],
  })
})

test.each(['HG_SCHEMA_VIOLATON', 'toString'])('%s is no code', (code) => {
  expect(readSelection({ code }, NOW)).toMatchObject({
    ok: false,
    problems: [expect.stringContaining('There is no code')],
  })
})

test('an empty filter is refused: it could stand for all or for none', () => {
  expect(readSelection({ rule: '', text: '' }, NOW)).toEqual({
    ok: false,
    problems: ['--rule should not be empty.', '--text should not be empty.'],
  })
})

test('all complaints are made at once', () => {
  const read = readSelection({ limit: '0', since: 'x', code: 'NO' }, NOW)
  expect(read).toMatchObject({ ok: false })
  if (!read.ok) expect(read.problems).toHaveLength(3)
})
