import type { Panel, Row } from './panel.js'

const COLUMNS = 24
const HEIGHTS: { readonly [type in Panel['type']]: number } = {
  stat: 4,
  timeseries: 8,
  table: 8,
  bargauge: 8,
}
const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

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
    annotations: { list: [] },
    templating: { list: variables() },
    panels: place(rows),
  }
}

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

/** From left to right, and on a new line where there is no room. */
function place(rows: readonly Row[]): object[] {
  const placed: object[] = []
  let top = 0
  const next = (panel: object) => placed.push({ id: placed.length + 1, ...panel })
  for (const { title, panels } of rows) {
    next({ type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: top, w: COLUMNS, h: 1 } })
    top++
    let left = 0
    let height = 0
    for (const panel of panels) {
      if (left + panel.width > COLUMNS) {
        top += height
        left = 0
        height = 0
      }
      next({ ...shown(panel), gridPos: { x: left, y: top, w: panel.width, h: HEIGHTS[panel.type] } })
      left += panel.width
      height = Math.max(height, HEIGHTS[panel.type])
    }
    top += height
  }
  return placed
}

function shown({ title, description, type, unit, queries, bad, words }: Panel): object {
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
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
        ...(type === 'timeseries' && { min: 0, custom: { fillOpacity: 10, showPoints: 'never' } }),
        ...(bad && { thresholds: thresholds(bad) }),
        ...(words && { mappings: [mapping(words)] }),
      },
      overrides: [],
    },
    options: options(type),
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

function thresholds({ at, badBelow }: NonNullable<Panel['bad']>): object {
  const [below, above] = badBelow ? ['red', 'green'] : ['green', 'red']
  return {
    mode: 'absolute',
    steps: [
      { color: below, value: null },
      { color: above, value: at },
    ],
  }
}

const mapping = (words: NonNullable<Panel['words']>): object => ({
  type: 'value',
  options: Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }])),
})
