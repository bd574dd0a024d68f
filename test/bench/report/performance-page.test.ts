import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readOptions } from '../../../bench/options.js'
import { PAGE, readFigures, withFigures } from '../../../bench/report/performance-page.js'

const page = readFileSync(PAGE, 'utf8')
const none = {
  full: undefined,
  sizes: undefined,
  soak: undefined,
  inboxSoak: undefined,
  pending: undefined,
  inbox: undefined,
  sources: undefined,
  console: undefined,
}
const machine = { revision: 'abc', node: 'v20', cpu: 'some', cores: 2, kafka: 'one node' }

test('the figures of the page are those of the last runs; `npm run bench -- --full --docs` and the like renew them', () => {
  expect(page).toBe(withFigures(page, readFigures('docs/performance')))
})

test('what is between two markers is replaced, and nothing else', () => {
  const rows = [
    {
      axis: 'payload',
      series: 'floor',
      size: 65_536,
      cpuPerEvent: { median: 80, min: 70, max: 90 },
      eventsPerSecond: { median: 900, min: 900, max: 900 },
      p50: { median: 1, min: 1, max: 1 },
      peakRss: { median: 1, min: 1, max: 1 },
    },
  ] as const
  const sizes = { machine, rounds: 1, seconds: 1, rows, doubts: [] }
  const text = 'a\n<!-- figures: payload -->\nold\n<!-- end of figures -->\nb\n'

  const filled = withFigures(text, { ...none, sizes })

  expect(filled).toMatch(/^a\n<!-- figures: payload -->\n\| payload \|/)
  expect(filled).toContain('| 64 KiB | floor | 80 (70-90) | 900 | 1.0 | 1 |')
  expect(filled).toMatch(/\n<!-- end of figures -->\nb\n$/)
  expect(filled).not.toContain('old')
  expect(withFigures(filled, none)).toContain('<!-- figures: payload -->\nNot measured yet.\n')
})

test('the console stands with the frames of each view, and with its cost at each load', () => {
  const frames = { perSecond: 59.7, p50: 16.7, p99: 33.4, longest: 84, late: 0.012, longTasks: 1, busy: 0.31 }
  const of = (median: number) => ({ median, min: median - 1, max: median + 1 })
  const console = {
    ...{ machine, pipelines: 20, rules: 500, deadLetters: 10_000, rate: 5000, delivered: 4990.4 },
    ...{ seconds: 10, rounds: 3, views: [{ view: 'events', frames }] },
    costs: [{ load: 'no events', consoles: 10, without: of(2), added: of(1.5) }],
  }
  const text = withFigures('<!-- figures: console -->\n<!-- end of figures -->', { ...none, console })
  expect(text).toContain('500 rules and 10,000 dead letters; 5,000 events a second due, 4,990 delivered')
  expect(text).toContain('| events | 60 | 16.7 | 33.4 | 84 | 1.2 | 1 | 31 |')
  expect(text).toContain('| no events | 10 | 2.0 (1.0-3.0) | 1.5 (0.5-2.5) |')
})

test('the sources stand with the figures of each, and as multiples of the first', () => {
  const of = (median: number) => ({ median, min: median, max: median })
  const figures = {
    ...{ cpuPerEvent: of(150), primaryCpuPerEvent: of(150), busiestCpuPerEvent: of(150), p50: of(1) },
    ...{ eventsPerSecond: of(5000), p99: of(2), p999: of(3), peakRss: of(100), peakOwn: of(80) },
    generatorLoad: of(0.2),
  }
  const backlog = { peak: 1, slope: { median: 0, min: -1, max: 1 } }
  const load = 'saturation'
  const sources = {
    ...{ machine, rounds: 3, seconds: 10, inFlight: 64, bodyBytes: 1024, rests: [], refused: false },
    summaries: [{ program: 'token, form', load, figures, backlog }],
    ratios: [
      { load, program: 'token, form', base: 'token, JSON', figures: { ...figures, cpuPerEvent: of(1.07) } },
    ],
    doubts: ['the machine was busy'],
  }
  const text = withFigures('<!-- figures: sources -->\n<!-- end of figures -->', { ...none, sources })
  expect(text).toContain('1024 B an event, 64 events in flight at saturation; medians of 3 rounds of 10 s')
  expect(text).toContain('| saturation | token, form | 150 | 5000 |')
  expect(text).toContain('| saturation | token, form / token, JSON | 1.07 |')
  expect(text).toContain('- the machine was busy')
})

test('a backlog stands with what it takes at the start and in each of the two ways', () => {
  const phase = { peakRss: 900, cores: 0.5, deliveredPerSecond: 499.8, p50: 1.25, p99: 9.96 }
  const refuses = {
    ...phase,
    sender: 'refuses',
    peakOwn: 190,
    acknowledgedPerSecond: 0,
    refused: {},
  } as const
  const takes = {
    ...phase,
    sender: 'takes',
    peakOwn: 210,
    acknowledgedPerSecond: 15_000,
    refused: { 503: 2, 429: 1 },
  } as const
  const pending = {
    machine,
    pending: 5_000_000,
    file: 1200,
    ready: { after: 3.14, rss: 800, own: 95 },
    readyAfterKill: { after: 5, rss: 1000, own: 105 },
    rate: 500,
    seconds: 10,
    phases: [refuses, takes],
  }

  const filled = withFigures('<!-- figures: pending -->\n<!-- end of figures -->', { ...none, pending })

  expect(filled).toContain('5,000,000 pending acknowledgements, in a file of 1200 MiB. Started')
  expect(filled).toContain('| started after a stop in order | 3.1 | 95 | 800 |  |')
  expect(filled).toContain('| started after kill -9 | 5.0 | 105 | 1000 |  |')
  expect(filled).toContain(
    '| the sender refuses acknowledgements |  | 190 | 900 | 0.50 | 0 | 500 | 0 | 1.3 | 10.0 |',
  )
  expect(filled).toContain('| the sender takes them |  | 210 | 900 | 0.50 | 15000 | 500 | 3 | 1.3 | 10.0 |')
})

test('a marker that asks for what there is not is an error', () => {
  expect(() => withFigures('<!-- figures: speed -->\n<!-- end of figures -->', none)).toThrow(/"speed"/)
})

test('every option that the page names exists', () => {
  const named = [...page.matchAll(/npm run bench -- ([^`]+)`/g)].map(([, options = '']) => options)
  expect(named.length).toBeGreaterThan(4)
  for (const options of named) expect(() => readOptions(options.split(' '))).not.toThrow()
})
