import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { plugins } from '../../src/plugins/index.js'
import { declaredMetrics, isOwn, metricReference } from '../../tools/docs/metric-reference.js'
import { alerts } from '../../tools/docs/monitoring/alerts.js'
import { annotationQueries, dashboard } from '../../tools/docs/monitoring/dashboard.js'
import { hastened, PRODUCTION } from '../../tools/docs/monitoring/pace.js'
import { PALETTE } from '../../tools/docs/monitoring/palette.js'
import { rows } from '../../tools/docs/monitoring/rows.js'
import { recordingRules } from '../../tools/docs/monitoring/rules.js'
import { rulesFile } from '../../tools/docs/monitoring/rules-file.js'

const read = (path: string) => readFileSync(path, 'utf8')

const metrics = declaredMetrics(plugins)

describe('what is generated from the metrics is up to date; `npm run generate` renews it', () => {
  test('docs/metrics.md', () => expect(read('docs/metrics.md')).toBe(metricReference(metrics)))

  test('deploy/grafana/headgate.json', () =>
    expect(read('deploy/grafana/headgate.json')).toBe(`${JSON.stringify(dashboard(rows), undefined, 2)}\n`))

  test('deploy/prometheus/headgate.rules.yaml', () =>
    expect(read('deploy/prometheus/headgate.rules.yaml')).toBe(rulesFile(PRODUCTION)))
})

const records = recordingRules(PRODUCTION)
const panels = rows.flatMap((row) => row.panels)
const queries = [...panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)), ...annotationQueries()]
const rules = [...records, ...alerts(PRODUCTION)].map(({ expr }) => expr)

describe('every query asks for what there is', () => {
  test.each([...queries, ...rules])('%s', (expr) => {
    const selectors = selectorsOf(expr)
    expect(selectors).not.toEqual([])
    const labels = selectors.flatMap(({ name, labels }) => {
      const known = labelsOf(name)
      expect(known, `there is no ${name}`).toBeDefined()
      expect([...(known ?? [])], `${name} has no such label`).toEqual(expect.arrayContaining(labels))
      return [...(known ?? [])]
    })
    expect(labels).toEqual(expect.arrayContaining(groupedBy(expr)))
  })

  test('legends name labels that their query keeps', () => {
    for (const { expr, legend } of panels.flatMap(({ queries }) => queries)) {
      const kept = /\b(?:sum|min|max|count) by /.test(expr) ? groupedBy(expr) : ['instance']
      expect(kept, `${legend} of ${expr}`).toEqual(
        expect.arrayContaining([...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)),
      )
    }
  })

  test('every metric of ours is on the dashboard or in a rule', () => {
    const asked = new Set([...queries, ...rules].flatMap(selectorsOf).map(({ name }) => baseOf(name)))
    // When the config was last read: for those who want an alert on age.
    const spare = ['headgate_config_last_reload_success_timestamp_seconds']
    expect(
      metrics
        .filter(isOwn)
        .map(({ name }) => name)
        // Those of certificates are there only where TLS is: elsewhere their panels would be empty.
        .filter((name) => !asked.has(name) && !spare.includes(name) && !name.startsWith('headgate_tls_')),
    ).toEqual([])
  })
})

describe('the dashboard', () => {
  interface Place {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  interface Placed {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly collapsed?: boolean
    readonly gridPos: Place
    readonly panels?: readonly Placed[]
    readonly fieldConfig: {
      readonly overrides: readonly {
        readonly matcher: { readonly options: string }
        readonly properties: readonly { readonly id: string; readonly value: { fixedColor?: string } }[]
      }[]
    }
  }
  const { panels: placed } = dashboard(rows) as { readonly panels: readonly Placed[] }
  const all = placed.flatMap((panel) => [panel, ...(panel.panels ?? [])])

  test('begins with five tiles, which fill the first row', () => {
    const end = placed.findIndex(({ type }, index) => type === 'row' && index > 0)
    const tiles = placed.slice(1, end)
    expect(tiles.map(({ type }) => type)).toEqual(Array.from({ length: 5 }, () => 'stat'))
    expect(tiles.reduce((sum, { gridPos }) => sum + gridPos.w, 0)).toBe(24)
  })

  test('no two panels overlap, and each has an id of its own', () => {
    const overlap = (a: Place, b: Place) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
    for (const group of [placed, ...placed.map(({ panels = [] }) => panels)])
      for (const [index, one] of group.entries())
        for (const other of group.slice(index + 1))
          expect(overlap(one.gridPos, other.gridPos), `${one.title} and ${other.title}`).toBe(false)
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  })

  test('rows that not every Headgate needs are collapsed, at the end', () => {
    const collapsed = placed.filter((panel) => panel.collapsed)
    expect(collapsed.map(({ title }) => title)).toEqual(['Workers', 'TLS', 'Inbox'])
    expect(placed.slice(-3)).toEqual(collapsed)
    for (const { panels } of collapsed) expect(panels).not.toEqual([])
  })

  test.each([
    ['Events by outcome', 'delivered', 'delivered'],
    ['Events by outcome', 'dead-lettered', 'dead-lettered'],
    ['Responses by status', '200', 'delivered'],
    ['Responses by status', '422', 'rejected'],
    ['Responses by status', '503', 'unavailable'],
    ['Not passed, by stage', 'transform.0.json-schema rejected', 'rejected'],
    ['Attempts by outcome', 'gave-up', 'unavailable'],
  ])('in %s, %s has the colour of %s in the console', (panel, series, outcome) => {
    const { overrides } = all.find(({ title }) => title === panel)?.fieldConfig ?? {
      overrides: [],
    }
    const colours = overrides
      .filter(({ matcher }) => new RegExp(matcher.options.slice(1, -1)).test(series))
      .flatMap(({ properties }) => properties.map(({ value }) => value.fixedColor))
    expect(colours).toEqual([PALETTE[outcome]])
    expect(PALETTE[outcome]).toMatch(/^#[0-9a-f]{6}$/)
  })

  test('a tile with a bound links to its runbook', () => {
    const bounded = panels.filter(({ type, bad }) => type === 'stat' && bad !== undefined)
    for (const { title, runbook } of bounded)
      expect(readdirSync('docs/runbooks'), title).toContain(`${runbook}.md`)
  })
})

describe('alerts', () => {
  const names = alerts(PRODUCTION).map(({ alert }) => alert)
  const pages = readdirSync('docs/runbooks').filter((page) => page !== 'README.md')

  test('each has a page and each page an alert', () => {
    expect(pages.toSorted()).toEqual(names.map((name) => `${name}.md`).toSorted())
  })

  test.each(names)('the page of %s says what there is to know, in order', (name) => {
    const headings = [...read(`docs/runbooks/${name}.md`).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text)
    expect(headings).toEqual([
      name,
      'What it means',
      'How to see it',
      'Likely causes',
      'What to do',
      'When it is over',
    ])
  })

  test('the index has all of them, with their severity', () => {
    const index = read('docs/runbooks/README.md')
    for (const { alert, severity } of alerts(PRODUCTION))
      expect(index).toContain(`| [${alert}](${alert}.md) | ${severity} |`)
  })

  test('links and metrics of the pages exist', () => {
    for (const page of ['README.md', ...pages]) {
      const text = read(`docs/runbooks/${page}`)
      for (const [, path] of text.matchAll(/\]\(([^)#:]+)\)/g))
        expect(() => read(`docs/runbooks/${path}`), `${path} in ${page}`).not.toThrow()
      for (const [name] of text.matchAll(/\bheadgate_\w+/g))
        expect(labelsOf(name), `${name} in ${page}`).toBeDefined()
    }
  })

  test('each is tried by promtool, and fires in no more than its own case', () => {
    const cases = ['rules', 'silence']
      .map((name) => read(`deploy/prometheus/headgate.${name}.test.yaml`))
      .join('')
    for (const name of names) expect(cases.split(`alertname="${name}"`).length, name).toBe(2)
  })

  test('one that wakes somebody says so, and every one links to its page', () => {
    const text = rulesFile(PRODUCTION)
    expect(text.match(/severity: (critical|warning)$/gm)).toHaveLength(names.length)
    for (const name of names) expect(text).toContain(`runbook_url: docs/runbooks/${name}.md`)
  })
})

test('a hastened pace shortens spans by its factor, down to the shortest', () => {
  const pace = hastened(60, 4)
  expect(pace.span(3600)).toBe('1m')
  expect(pace.span(60)).toBe('4s')
  expect(pace.seconds(600)).toBe(10)
  expect(PRODUCTION.span(5400)).toBe('90m')
  expect(PRODUCTION.span(7200)).toBe('2h')
})

interface Selector {
  readonly name: string
  /** Those that it matches on. */
  readonly labels: string[]
}

/** The metrics that a query asks for, by the prefixes that there are. */
function selectorsOf(expr: string): Selector[] {
  const found = expr.matchAll(
    /(?<![\w:"])(?<name>(?:headgate_|process_|nodejs_|pipeline:|up\b|ALERTS\b)[\w:]*)(?:\{(?<matchers>[^}]*)\})?/g,
  )
  return [...found].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    labels: [...(groups?.['matchers'] ?? '').matchAll(/(\w+)(?:=~|!=|=|!~)/g)].map(([, label]) =>
      String(label),
    ),
  }))
}

const groupedBy = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:by|without) \(([^)]*)\)/g)].flatMap(([, list]) => String(list).split(', '))

/** Given by the scrape. */
const TARGET = ['namespace', 'job', 'instance']

/** Labels of a metric, of a series of a histogram, of a recording rule, or of what Prometheus itself makes. */
function labelsOf(name: string): ReadonlySet<string> | undefined {
  if (name === 'up') return new Set(TARGET)
  if (name === 'ALERTS') return new Set([...TARGET, 'alertname', 'alertstate', 'severity', 'pipeline'])
  if (records.some(({ record }) => record === name)) return new Set(['namespace', 'job', 'pipeline'])
  const declared = metrics.find((metric) => metric.name === baseOf(name))
  if (declared === undefined || (declared.type === 'histogram') !== (declared.name !== name)) return undefined
  const all = new Set([...TARGET, ...Object.keys(declared.labels)])
  // Known only once garbage has been collected.
  if (declared.name === 'nodejs_gc_duration_seconds') all.add('kind')
  return name.endsWith('_bucket') ? all.add('le') : all
}

const baseOf = (name: string): string => {
  const base = name.replace(/_(bucket|sum|count)$/, '')
  return metrics.some((metric) => metric.name === base && metric.type === 'histogram') ? base : name
}
