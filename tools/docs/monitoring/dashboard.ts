import { fixedColours, PALETTE } from './palette.js'
import type { Panel, Row } from './panel.js'

const COLUMNS = 24
const HEIGHTS: { readonly [type in Panel['type']]: number } = {
  stat: 5,
  timeseries: 8,
  table: 8,
  bargauge: 8,
}
const DATASOURCE = { type: 'prometheus', uid: '$datasource' }
const DOCS = 'https://github.com/headgate/headgate/blob/main/docs'

/** The dashboard as Grafana's file provisioning takes it. */
export function dashboard(rows: readonly Row[]): object {
  return {
    uid: 'headgate',
    title: 'Headgate',
    description: 'Generated from tools/docs/monitoring; change it there.',
    tags: ['headgate', 'kafka'],
    schemaVersion: 39,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [
      link('Runbooks', `${DOCS}/runbooks/README.md`),
      link('Metrics', `${DOCS}/metrics.md`),
      link('Console', `${DOCS}/console.md`),
    ],
    annotations: { list: ANNOTATIONS },
    templating: { list: variables() },
    panels: place(rows),
  }
}

const link = (title: string, url: string): object => ({
  title,
  url,
  type: 'link',
  icon: 'doc',
  targetBlank: true,
  asDropdown: false,
  includeVars: false,
  keepTime: false,
  tags: [],
  tooltip: '',
})

const annotation = (name: string, colour: string, text: string, expr: string): object => ({
  name,
  datasource: DATASOURCE,
  enable: true,
  iconColor: PALETTE[colour],
  target: { refId: 'Anno', expr, interval: '60s' },
  titleFormat: text,
})

const CHOSEN = 'namespace=~"$namespace",instance=~"$instance"'

/** Moments that explain a change of every curve. */
const ANNOTATIONS: readonly object[] = [
  annotation(
    'Reloads',
    'accent',
    'Config reloaded: {{result}}',
    `sum by (instance, result) (increase(headgate_config_reloads_total{${CHOSEN},result!="unchanged"}[1m])) > 0`,
  ),
  annotation(
    'Restarts',
    'unavailable',
    '{{instance}} started',
    `sum by (instance) (changes(process_start_time_seconds{${CHOSEN},job=~".*headgate.*"}[1m])) > 0`,
  ),
  annotation(
    'Rebalances',
    'dead-lettered',
    '{{pipeline}}: partitions {{change}}',
    `sum by (pipeline, change) (increase(headgate_inbox_rebalances_total{${CHOSEN},pipeline=~"$pipeline"}[1m])) > 0`,
  ),
]

/** The queries of the annotations. */
export const annotationQueries = (): string[] =>
  ANNOTATIONS.map((one) => (one as { readonly target: { readonly expr: string } }).target.expr)

function variables(): object[] {
  const ofLabel = (name: string, selector: string) => ({
    name,
    label: name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query: `label_values(${selector}, ${name})`, refId: name },
    definition: `label_values(${selector}, ${name})`,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    // Matches what lacks the label, too: a Prometheus outside of Kubernetes has no namespaces.
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  })
  return [
    { name: 'datasource', label: 'data source', type: 'datasource', query: 'prometheus', refresh: 1 },
    ofLabel('namespace', 'headgate_ready'),
    ofLabel('instance', 'headgate_ready{namespace=~"$namespace"}'),
    ofLabel('pipeline', 'headgate_events_total{namespace=~"$namespace",instance=~"$instance"}'),
  ]
}

/** From left to right, and on a new line where there is no room. The panels of a collapsed row are in its panel. */
function place(rows: readonly Row[]): object[] {
  const placed: object[] = []
  let id = 0
  let top = 0
  for (const { title, panels, collapsed = false } of rows) {
    const row = {
      id: ++id,
      type: 'row',
      title,
      collapsed,
      gridPos: { x: 0, y: top++, w: COLUMNS, h: 1 },
    }
    const inside: object[] = []
    let left = 0
    let height = 0
    for (const panel of panels) {
      if (left + panel.width > COLUMNS) {
        top += height
        left = 0
        height = 0
      }
      const gridPos = { x: left, y: top, w: panel.width, h: HEIGHTS[panel.type] }
      inside.push({ id: ++id, ...shown(panel), gridPos })
      left += panel.width
      height = Math.max(height, HEIGHTS[panel.type])
    }
    // Others move down when a collapsed row is opened.
    if (!collapsed) top += height
    else top = row.gridPos.y + 1
    placed.push({ ...row, panels: collapsed ? inside : [] }, ...(collapsed ? [] : inside))
  }
  return placed
}

function shown(panel: Panel): object {
  const { title, description, type, unit, queries, bad, words, runbook } = panel
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
    ...(runbook !== undefined && { links: [link('Runbook', `${DOCS}/runbooks/${runbook}.md`)] }),
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      ...(type === 'table' || type === 'bargauge' ? { instant: true, range: false } : { range: true }),
      ...(type === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(type === 'timeseries' && { min: 0, custom: drawing(panel) }),
        ...(bad && { thresholds: thresholds(bad, type) }),
        ...(words && { mappings: [mapping(words)] }),
      },
      overrides: type === 'table' ? LINKED : [...fixedColours(queries), ...limits(queries)],
    },
    options: options(type),
  }
}

function drawing({ stacked, bad }: Panel): object {
  return {
    lineWidth: 1,
    fillOpacity: stacked ? 45 : 10,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
    ...(bad && { thresholdsStyle: { mode: 'dashed' } }),
  }
}

const LIMIT = '(^| )(limit|configured)$'

/** Bounds are dashed, and no part of a sum. */
const limits = (queries: Panel['queries']): readonly object[] =>
  queries.some(({ legend }) => new RegExp(LIMIT).test(legend)) ? [DASHED] : []

const DASHED = {
  matcher: { id: 'byRegexp', options: `/${LIMIT}/` },
  properties: [
    { id: 'color', value: { mode: 'fixed', fixedColor: PALETTE['rejected'] } },
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
    { id: 'custom.fillOpacity', value: 0 },
    { id: 'custom.stacking', value: { mode: 'none' } },
  ],
}

/** From a row of a table to the console of its process, and to the page of its alert. */
const LINKED: readonly object[] = [
  linked('instance', 'Open its console', 'http://${__value.text}/console'),
  linked('alertname', 'Open its runbook', `${DOCS}/runbooks/\${__value.text}.md`),
]

function linked(field: string, title: string, url: string): object {
  return {
    matcher: { id: 'byName', options: field },
    properties: [{ id: 'links', value: [{ title, url, targetBlank: true }] }],
  }
}

function options(type: Panel['type']): object {
  if (type === 'timeseries') {
    return {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    }
  }
  if (type === 'table') return { showHeader: true }
  const last = { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } }
  return type === 'stat'
    ? { ...last, colorMode: 'value', graphMode: 'area' }
    : { ...last, orientation: 'horizontal' }
}

/** Of a curve, only the bound itself is drawn. */
function thresholds({ at, badBelow }: NonNullable<Panel['bad']>, type: Panel['type']): object {
  const [good, wrong] = [PALETTE['delivered'], PALETTE['unavailable']]
  const [below, above] = badBelow ? [wrong, good] : [good, wrong]
  const isCurve = type === 'timeseries'
  return {
    mode: 'absolute',
    steps: [
      { color: isCurve ? 'transparent' : below, value: null },
      { color: isCurve ? wrong : above, value: at },
    ],
  }
}

const mapping = (words: NonNullable<Panel['words']>): object => ({
  type: 'value',
  options: Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }])),
})
