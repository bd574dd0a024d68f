/** Text as it has to stand within an SVG, in an element or in an attribute. */
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

/** Told apart by the colour-blind as well (Okabe and Ito), and from a light ground as from a dark one. */
export const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8c8c00'] as const

export const color = (index: number): string => COLORS[index % COLORS.length] ?? COLORS[0]

// A viewer that follows the reader's preference gets letters that fit the ground; to all others they are grey, which is
// legible on both.
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
