import { canonical } from './assertions.js'
import { below, inPlace, type Node } from './node.js'
import { Work } from './work.js'

/** The targets that dynamic references may have. */
type Targets = (anchor: string) => readonly Node[]

/** Whether any schema leads to itself. */
export const isRecursive = (nodes: readonly Node[], targets: Targets): boolean =>
  circles(nodes, targets).size > 0

/**
 * The schemas that lead back to themselves from two or more of the schemas that look at the same value, unless no value fits
 * both: these do the work below them once more each.
 */
export function multiplied(nodes: readonly Node[], targets: Targets): Node[] {
  const circle = circles(nodes, targets)
  return nodes.filter((node) => {
    const own = circle.get(node)
    if (own === undefined) return false
    const branches = inPlace(node, targets).filter((branch) => circle.get(branch) === own)
    return branches.some((one, index) => branches.slice(index + 1).some((other) => !areApart(one, other)))
  })
}

/** Each schema that leads to itself, with a number for all those that lead to each other (Tarjan, without recursion). */
function circles(nodes: readonly Node[], targets: Targets): Map<Node, number> {
  const index = new Map<Node, number>()
  const lowest = new Map<Node, number>()
  const waiting: Node[] = []
  const isWaiting = new Set<Node>()
  const found = new Map<Node, number>()
  const way: { readonly node: Node; readonly all: readonly Node[]; at: number }[] = []
  const enter = (node: Node): void => {
    lowest.set(node, index.size)
    index.set(node, index.size)
    waiting.push(node)
    isWaiting.add(node)
    way.push({ node, all: [...inPlace(node, targets), ...below(node)], at: 0 })
  }
  const lower = (node: Node, value: number | undefined): void => {
    lowest.set(node, Math.min(lowest.get(node) ?? 0, value ?? 0))
  }
  const leave = (node: Node, all: readonly Node[]): void => {
    const up = way.at(-1)
    if (up !== undefined) lower(up.node, lowest.get(node))
    if (lowest.get(node) !== index.get(node)) return
    const members = waiting.splice(waiting.lastIndexOf(node))
    for (const member of members) isWaiting.delete(member)
    if (members.length > 1 || all.includes(node))
      for (const member of members) found.set(member, index.get(node) ?? 0)
  }
  for (const start of nodes) {
    if (!index.has(start)) enter(start)
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const next = top.all[top.at++]
      if (next === undefined) {
        way.pop()
        leave(top.node, top.all)
      } else if (!index.has(next)) enter(next)
      else if (isWaiting.has(next)) lower(top.node, index.get(next))
    }
  }
  return found
}

/** Whether no value fits both, as far as their types and the constants of their members tell. */
function areApart(one: Node, other: Node): boolean {
  const [a, b] = [followed(one), followed(other)]
  if (a.types && b.types && !a.types.some((type) => overlaps(type, b.types ?? []))) return true
  return [...(a.properties ?? [])].some(([name, member]) => {
    const values = valuesOf(member)
    const others = valuesOf(b.properties?.get(name))
    return values !== undefined && others !== undefined && !values.some((value) => others.includes(value))
  })
}

const MOST_REFERENCES = 10

function followed(node: Node): Node {
  let found = node
  for (let count = 0; found.ref !== undefined && count < MOST_REFERENCES; count++) found = found.ref
  return found
}

const overlaps = (type: string, others: readonly string[]): boolean =>
  others.includes(type) ||
  (type === 'integer' && others.includes('number')) ||
  (type === 'number' && others.includes('integer'))

function valuesOf(node: Node | undefined): string[] | undefined {
  const work = new Work()
  work.left = Number.POSITIVE_INFINITY
  return (node?.const ?? node?.enum)?.map((value) => canonical(value, work))
}
