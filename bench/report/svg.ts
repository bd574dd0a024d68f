/** Escapes text for an element or an attribute of an SVG. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export function element(
  name: string,
  attributes: { readonly [name: string]: string | number },
  ...content: readonly string[]
): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : escaped(value)}"`,
  )
  const start = `<${name}${written.join('')}`
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('')}</${name}>`
}

export const label = (
  x: number,
  y: number,
  text: string,
  attributes: { readonly [name: string]: string | number } = {},
): string => element('text', { x, y, ...attributes }, escaped(text))

/** Distinct for colour-blind readers too (Okabe and Ito), on a light and on a dark background. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8c8c00'] as const

export const color = (index: number): string => COLORS[index % COLORS.length] ?? COLORS[0]

// In a viewer that follows the reader's preference, text has the colour for its background; elsewhere it is grey,
// which is legible on both.
const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #6e7781; }
.title { font-size: 15px; font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: 0.3; }
@media (prefers-color-scheme: light) { text { fill: #24292f; } }
@media (prefers-color-scheme: dark) { text { fill: #d0d7de; } }
`

/** A whole file. */
export const picture = (width: number, height: number, title: string, content: readonly string[]): string =>
  `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' },
    element('title', {}, escaped(title)),
    element('style', {}, STYLE),
    label(16, 24, title, { class: 'title' }),
    ...content,
  )}\n`

const ROW = 14

/**
 * Names beside their colours, below the title; if there are many, also in a second row, which just fits above the
 * plot.
 */
export function legend(names: readonly string[], left: number, right: number): string[] {
  let x = left
  let row = 0
  return names.flatMap((name, index) => {
    const width = 34 + name.length * 7
    if (x > left && x + width > right) {
      x = left
      row++
    }
    const at = x
    x += width
    return [
      element('rect', { x: at, y: 54 + row * ROW, width: 12, height: 12, fill: color(index) }),
      label(at + 18, 64 + row * ROW, name),
    ]
  })
}

/** Maps values to positions on an axis. */
interface Scale {
  at(value: number): number
  /** Values worth a line and a label. */
  readonly ticks: readonly number[]
}

/** From 0 to a round number above `highest`; `from` and `to` are positions. */
export function linearScale(highest: number, from: number, to: number): Scale {
  const step = roundStep(highest / 5)
  const count = Math.max(1, Math.ceil(highest / step))
  const end = step * count
  return {
    at: (value) => from + ((to - from) * value) / end,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  }
}

/** Equal factors are equal distances. Ticks at powers of ten, and at 2 and 5 times those if there is room. */
export function logScale(lowest: number, highest: number, from: number, to: number): Scale {
  const low = Math.log10(lowest)
  const high = Math.log10(highest)
  const span = high - low || 1
  const factors = span > 3 ? [1] : [1, 2, 5]
  const ticks = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, index) =>
    factors.map((factor) => factor * 10 ** (Math.floor(low) + index)),
  )
  return {
    at: (value) => from + ((to - from) * (Math.log10(value) - low)) / span,
    ticks: ticks.flat().filter((tick) => tick >= lowest && tick <= highest),
  }
}

/** The next of 1, 2, 2.5 and 5 times a power of ten. */
export function roundStep(least: number): number {
  if (!(least > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 2.5, 5].find((candidate) => candidate * power >= least * (1 - 1e-9))
  return (factor ?? 10) * power
}
