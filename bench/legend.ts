import { color, element, label } from './svg.js'

/** Names beside their colours, in one row below the title. */
export function legend(names: readonly string[], left: number): string[] {
  let x = left
  return names.flatMap((name, index) => {
    const at = x
    x += 34 + name.length * 7
    return [
      element('rect', { x: at, y: 54, width: 12, height: 12, fill: color(index) }),
      label(at + 18, 64, name),
    ]
  })
}
