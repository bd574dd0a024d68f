import { expect, test } from 'vitest'
import { barChart } from '../../../bench/report/bar-chart.js'
import { lineChart } from '../../../bench/report/line-chart.js'
import { element, escaped, legend, linearScale, logScale, roundStep } from '../../../bench/report/svg.js'

const spread = (median: number) => ({ median, min: median - 1, max: median + 1 })

test('text cannot break out of its element or attribute', () => {
  expect(escaped('a<b> & "c"')).toBe('a&lt;b&gt; &amp; &quot;c&quot;')
  expect(element('text', { class: '"><script>', x: 1.23456 }, escaped('<b>'))).toBe(
    '<text class="&quot;&gt;&lt;script&gt;" x="1.23">&lt;b&gt;</text>',
  )
})

test('axes have round numbers, and room for the highest value', () => {
  expect([0.013, 0.9, 3, 130].map(roundStep)).toEqual([0.02, 1, 5, 200])
  const { at, ticks } = linearScale(130, 100, 0)
  expect(ticks).toEqual([0, 50, 100, 150])
  expect([at(0), at(75), at(150)]).toEqual([100, 50, 0])
})

test('on a logarithmic axis equal factors are equal distances', () => {
  const { at, ticks } = logScale(1, 500, 0, 100)
  expect(ticks).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500])
  expect(at(10) - at(1)).toBeCloseTo(at(100) - at(10))
  expect(logScale(1, 1_000_000, 0, 100).ticks).toEqual([1, 10, 100, 1000, 10_000, 100_000, 1_000_000])
})

test('a bar chart has a bar for every value, with names and figures', () => {
  const svg = barChart({
    title: 'CPU & <more>',
    axis: 'us',
    digits: 0,
    series: ['floor', 'headgate'],
    groups: [
      { name: 'saturation', values: [spread(66), spread(80)] },
      { name: '1,000/s', values: [spread(100), spread(110)] },
    ],
  })
  // Four bars and two colours of the legend.
  expect(svg.match(/<rect /g)).toHaveLength(6)
  expect(svg).toContain('<title>CPU &amp; &lt;more&gt;</title>')
  for (const text of ['floor', 'headgate', 'saturation', '1,000/s', '66', '110'])
    expect(svg).toContain(`>${text}<`)
  expect(svg).not.toMatch(/NaN|undefined/)
})

test('a line chart has a line for every series, and its own ticks', () => {
  const svg = lineChart({
    title: 'rules',
    xAxis: 'rules',
    yAxis: 'us',
    logarithmic: { x: true, y: true },
    xTicks: [1, 500],
    series: [
      {
        name: 'regex',
        points: [
          [1, 70],
          [500, 900],
        ],
      },
      {
        name: 'JSONata',
        points: [
          [1, 80],
          [500, 4000],
        ],
      },
    ],
  })
  expect(svg.match(/<polyline /g)).toHaveLength(2)
  expect(svg.match(/<circle /g)).toHaveLength(4)
  expect(svg).toContain('>500<')
  expect(svg).not.toMatch(/NaN|undefined/)
})

test('a legend with many names goes on in a second row', () => {
  const rects = (names: readonly string[]) =>
    legend(names, 64, 696)
      .filter((text) => text.startsWith('<rect'))
      .map((text) => ['x', 'y'].map((name) => Number(new RegExp(` ${name}="([^"]+)"`).exec(text)?.[1])))

  expect(rects(['floor', 'headgate'])).toEqual([
    [64, 54],
    [133, 54],
  ])
  expect(rects(['a'.repeat(40), 'b'.repeat(40), 'c'])).toEqual([
    [64, 54],
    [378, 54],
    [64, 68],
  ])
})
