import type { Spread } from '../measure/statistics.js'
import { color, element, label, legend, linearScale, picture } from './svg.js'

interface BarChart {
  readonly title: string
  /** The measured quantity and its unit. */
  readonly axis: string
  /** Bars side by side in each group, one colour each. */
  readonly series: readonly string[]
  readonly groups: readonly { readonly name: string; readonly values: readonly Spread[] }[]
  readonly digits: number
}

const WIDTH = 720
const HEIGHT = 380
const PLOT = { left: 64, right: WIDTH - 16, top: 76, bottom: HEIGHT - 40 }

/** Bars from 0, with a line from the lowest to the highest round. */
export function barChart({ title, axis, series, groups, digits }: BarChart): string {
  const highest = Math.max(...groups.flatMap(({ values }) => values.map(({ max }) => max)))
  const y = linearScale(highest, PLOT.bottom, PLOT.top)
  const slot = (PLOT.right - PLOT.left) / groups.length
  const bar = Math.min(56, (slot * 0.8) / series.length)
  const lines = y.ticks.flatMap((tick) => [
    element('line', { class: 'grid', x1: PLOT.left, x2: PLOT.right, y1: y.at(tick), y2: y.at(tick) }),
    label(PLOT.left - 8, y.at(tick) + 4, String(Number(tick.toFixed(3))), { 'text-anchor': 'end' }),
  ])
  const bars = groups.flatMap(({ name, values }, group) => {
    const middle = PLOT.left + slot * (group + 0.5)
    const start = middle - (bar * values.length) / 2
    return [
      label(middle, PLOT.bottom + 20, name, { 'text-anchor': 'middle' }),
      ...values.flatMap(({ median, min, max }, index) => {
        const x = start + bar * index
        const centre = x + bar / 2
        return [
          element('rect', {
            x: x + 2,
            y: y.at(median),
            width: bar - 4,
            height: PLOT.bottom - y.at(median),
            fill: color(index),
          }),
          element('line', { x1: centre, x2: centre, y1: y.at(min), y2: y.at(max), stroke: '#8c959f' }),
          label(centre, y.at(max) - 5, median.toFixed(digits), { 'text-anchor': 'middle' }),
        ]
      }),
    ]
  })
  return picture(WIDTH, HEIGHT, title, [
    label(16, 46, axis),
    ...legend(series, PLOT.left, PLOT.right),
    ...lines,
    ...bars,
  ])
}
