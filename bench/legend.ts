import { color, element, label } from './svg.js'

const ROW = 14

/** Names beside their colours, below the title; in a second row, which just fits above the plot, where they are many. */
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
