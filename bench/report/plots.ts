import type { Comparison } from '../measure/compare.js'
import type { Figure } from '../measure/figures.js'
import { type Axis, BODY_SIZES, PIPELINE_COUNTS, RULE_COUNTS, type SizeFigures } from '../measure/sizes.js'
import type { SoakFigures } from '../measure/soak.js'
import { barChart } from './bar-chart.js'
import { lineChart } from './line-chart.js'

/** SVGs by their file names. */
export type Plots = { readonly [name: string]: string }

export const comparisonPlots = (comparison: Comparison): Plots => ({
  'cpu.svg': figurePlot(comparison, 'cpuPerEvent', 'CPU time an event', 'microseconds, user and system', 0),
  'p50.svg': figurePlot(comparison, 'p50', 'Request to response, half of the events', 'milliseconds', 1),
  'p99.svg': figurePlot(comparison, 'p99', 'Request to response, 99 % of the events', 'milliseconds', 1),
})

export const inboxPlots = (comparison: Comparison): Plots => ({
  'inbox.svg': figurePlot(comparison, 'cpuPerEvent', 'CPU time an event', 'microseconds, user and system', 0),
  'inbox-busiest.svg': figurePlot(
    comparison,
    'busiestCpuPerEvent',
    'CPU time an event of the busiest process',
    'microseconds, user and system',
    0,
  ),
})

export const sourcePlots = (comparison: Comparison): Plots => ({
  'sources.svg': figurePlot(
    comparison,
    'cpuPerEvent',
    'CPU time an event',
    'microseconds, user and system',
    0,
  ),
})

function figurePlot(
  { summaries }: Comparison,
  figure: Figure,
  title: string,
  axis: string,
  digits: number,
): string {
  const unique = (names: string[]) => [...new Set(names)]
  const groups = unique(summaries.map(({ load }) => load)).map((load) => ({
    name: load,
    values: summaries.filter((summary) => summary.load === load).map(({ figures }) => figures[figure]),
  }))
  return barChart({ title, axis, digits, groups, series: unique(summaries.map(({ program }) => program)) })
}

export const sizePlots = (sizes: SizeFigures): Plots => ({
  'payload.svg': sizePlot(sizes, 'payload', 'Cost against the size of the body', 'bytes', BODY_SIZES),
  'rules.svg': sizePlot(sizes, 'rules', 'Cost against the number of rules', 'rules', RULE_COUNTS),
  'pipelines.svg': sizePlot(
    sizes,
    'pipelines',
    'Cost against the number of pipelines',
    'pipelines',
    PIPELINE_COUNTS,
  ),
})

function sizePlot(
  { rows }: SizeFigures,
  axis: Axis,
  title: string,
  xAxis: string,
  xTicks: readonly number[],
): string {
  const own = rows.filter((row) => row.axis === axis)
  const series = [...new Set(own.map((row) => row.series))].map((name) => ({
    name,
    points: own
      .filter((row) => row.series === name)
      .map(({ size, cpuPerEvent }) => [size, cpuPerEvent.median] as const),
  }))
  const yAxis = 'microseconds of CPU an event'
  return lineChart({
    title,
    xAxis,
    yAxis,
    series,
    xTicks,
    formatX: formatSize,
    logarithmic: { x: true, y: axis !== 'pipelines' },
  })
}

export const formatSize = (size: number): string =>
  size >= 2 ** 20 ? `${size / 2 ** 20} Mi` : size >= 1024 ? `${size / 1024} Ki` : String(size)

export const soakPlots = (file: string, { rss, own, heap }: SoakFigures): Plots => ({
  [file]: lineChart({
    title: 'Memory over many events',
    xAxis: 'million events',
    yAxis: 'MiB',
    logarithmic: { x: false, y: false },
    dense: true,
    series: [
      { name: 'resident', points: rss.points },
      { name: 'own', points: own.points },
      { name: 'heap', points: heap.points },
    ],
  }),
})
