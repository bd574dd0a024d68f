import fc from 'fast-check'
import { expect, test } from 'vitest'
import { junit } from '../../src/scenarios/report.js'
import type { ScenarioResult } from '../../src/scenarios/run.js'

/** Every character of the text is one that XML 1.0 has, and no markup is left open. */
const wellFormed = (xml: string): boolean =>
  !/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(xml) &&
  !/&(?!amp;|lt;|gt;|quot;|#9;|#13;)/.test(xml) &&
  xml.replaceAll(/<\?xml [^<>]*\?>|<\/?[a-z]+( [a-z]+="[^"<>]*")*\/?>/g, '').search(/[<>]/) === -1

const failed = (name: string, found: string): ScenarioResult => ({
  scenario: {
    name,
    location: { file: 's.json', line: 1, column: 1 },
    pipeline: 'p',
    method: undefined,
    query: undefined,
    headers: {},
    body: Buffer.from('{}'),
    verify: false,
    expect: { route: 'x' },
    written: () => '',
  },
  dryRun: {
    pipeline: 'p',
    response: { status: 200, headers: {}, body: '' },
    outcome: { kind: 'dropped', id: '1' },
    steps: [],
    records: [],
    calls: [],
    route: undefined,
  },
  differences: [{ field: 'route', expected: '"x"', found }],
  duration: 1,
})

test('it is XML whatever the names and values are', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '\u001b[31m', ']]>', '<a b="&">', '\ud800'),
  )
  fc.assert(
    fc.property(text, text, (name, found) => {
      expect(wellFormed(junit([{ file: name, results: [failed(name, found)] }], undefined))).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test('a failure says what was expected and found, and the counts are right', () => {
  const passing = { ...failed('fine', ''), differences: [] }
  const xml = junit([{ file: 'a.json', results: [failed('bad', '"y"'), passing] }], undefined)
  expect(xml).toContain('<testsuite name="a.json" tests="2" failures="1" errors="0" skipped="0">')
  expect(xml).toContain('<testcase classname="a.json" name="bad" time="0.001">')
  expect(xml).toContain('expected  &quot;x&quot;\n  found     &quot;y&quot;')
  expect(xml).toContain('<testcase classname="a.json" name="fine" time="0.001"/>')
})

test('required coverage is a suite of its own', () => {
  const ways = [
    { pipeline: 'p', way: { kind: 'rule', name: 'eu' }, count: 0 },
    { pipeline: 'p', way: { kind: 'rule', name: 'otherwise' }, count: 2 },
  ] as const
  const xml = junit([], ways)
  expect(xml).toContain('<testsuite name="coverage" tests="2" failures="1"')
  expect(xml).toContain('message="Rule eu of p never matched in any scenario."')
})
