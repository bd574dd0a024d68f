import { color, element, label, legend, linearScale, logScale, picture } from './svg.js'

interface LineChart {
  readonly title: string
  readonly xAxis: string
  readonly yAxis: string
  /** Equal factors are equal distances; otherwise both axes begin at 0. */
  readonly logarithmic: { readonly x: boolean; readonly y: boolean }
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
  }[]
  /** How the values of the x axis are written. */
  readonly formatX?: (value: number) => string
  /** Where the x axis has its labels, if not at round numbers. */
  readonly xTicks?: readonly number[]
  /** Too many points for a dot each. */
  readonly dense?: boolean
}

const WIDTH = 720
const HEIGHT = 400
const PLOT = { left: 64, right: WIDTH - 24, top: 80, bottom: HEIGHT - 56 }

export function lineChart(chart: LineChart): string {
  const { title, xAxis, yAxis, logarithmic, series, formatX = String, dense = false } = chart
  const points = series.flatMap((line) => line.points)
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  const x = logarithmic.x
    ? logScale(Math.min(...xs), Math.max(...xs), PLOT.left, PLOT.right)
    : linearScale(Math.max(...xs), PLOT.left, PLOT.right)
  const y = logarithmic.y
    ? logScale(Math.min(...ys) / 1.2, Math.max(...ys) * 1.2, PLOT.bottom, PLOT.top)
    : linearScale(Math.max(...ys), PLOT.bottom, PLOT.top)
  const grid = y.ticks.flatMap((tick) => [
    element('line', { class: 'grid', x1: PLOT.left, x2: PLOT.right, y1: y.at(tick), y2: y.at(tick) }),
    label(PLOT.left - 8, y.at(tick) + 4, String(Number(tick.toFixed(3))), { 'text-anchor': 'end' }),
  ])
  const below = (chart.xTicks ?? x.ticks).flatMap((tick) => [
    element('line', { class: 'grid', x1: x.at(tick), x2: x.at(tick), y1: PLOT.bottom, y2: PLOT.bottom + 5 }),
    label(x.at(tick), PLOT.bottom + 20, formatX(tick), { 'text-anchor': 'middle' }),
  ])
  const lines = series.flatMap((line, index) => {
    const places = line.points.map(([px, py]) => [x.at(px), y.at(py)] as const)
    const path = places.map((place) => place.map((value) => value.toFixed(1)).join(',')).join(' ')
    const dots = dense
      ? []
      : places.map(([cx, cy]) => element('circle', { cx, cy, r: 3, fill: color(index) }))
    return [
      element('polyline', { points: path, fill: 'none', stroke: color(index), 'stroke-width': 2 }),
      ...dots,
    ]
  })
  const names = series.map(({ name }) => name)
  return picture(WIDTH, HEIGHT, title, [
    label(16, 46, yAxis),
    ...legend(names, PLOT.left, PLOT.right),
    ...grid,
    ...below,
    label((PLOT.left + PLOT.right) / 2, HEIGHT - 12, xAxis, { 'text-anchor': 'middle' }),
    ...lines,
  ])
}
