import type { Node } from './jsonata-syntax.js'

/** What jsonata's own types leave out. */
interface Parsed extends Node {
  readonly steps?: readonly Parsed[]
}

/**
 * The places of the event that an expression looks at, as expressions of their own: `payload.region`. Only those that it
 * starts from: what it does behind a filter or inside a step is left out, for it stands there for something else.
 */
export function placesOf(ast: Node): readonly string[] {
  const places = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const node = value as Parsed
    // Inside a function of its own, a name need not be a place in the event.
    if (node.type === 'lambda') return
    if (node.type !== 'path') {
      for (const inner of Object.values(node)) visit(inner)
      return
    }
    const place = placeOf(node.steps ?? [])
    if (place !== '') places.add(place)
  }
  visit(ast)
  return [...places]
}

function placeOf(steps: readonly Parsed[]): string {
  const names: string[] = []
  for (const step of steps) {
    if (step.type !== 'name') break
    names.push(quoted(String(step.value)))
    // More than type, value and position is a filter or the like.
    if (Object.keys(step).length > 3) break
  }
  return names.join('.')
}

const OPERATOR_WORDS = new Set(['and', 'or', 'in', 'true', 'false', 'null', 'function'])

const quoted = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !OPERATOR_WORDS.has(name) ? name : `\`${name}\``
