import type { RequestParts } from '../../../contract/index.js'
import { locator, type PartLocator, requestPart } from '../../../lib/locator.js'
import type { ExpressionProblem } from './jsonata-errors.js'
import { type Node, nodesOf, spanOf } from './jsonata-syntax.js'

/** Members that jsonata's own types leave out. */
interface Parsed extends Node {
  readonly steps?: readonly Parsed[]
}

/** The variables that have members, with the kind of locator that these are. */
const OBJECTS = { headers: 'header', query: 'query' } as const
const TEXTS = ['path', 'method'] as const

/** The variables with which an expression reads the request of an event. */
export const REQUEST_VARIABLES: readonly string[] = [...Object.keys(OBJECTS), ...TEXTS]

/** Cheaper than to parse an expression: false if it certainly reads no request. */
export const mayReadRequest = (text: string): boolean => /\$(?:headers|query|path|method)\b/.test(text)

/** The locator of `$headers.NAME`, `$query.NAME`, `$path` or `$method`; undefined if a node is none of these. */
export function requestPartOf({ type, value, steps }: Parsed): string | undefined {
  if (type === 'variable') return TEXTS.find((name) => name === value)
  const [head, member] = type === 'path' ? (steps ?? []) : []
  if (head?.type !== 'variable' || member?.type !== 'name' || 'predicate' in head) return undefined
  const kind = isObjectName(head.value) ? OBJECTS[head.value] : undefined
  return kind === undefined ? undefined : locator(`${kind}:${member.value}`).text
}

const isObjectName = (value: unknown): value is keyof typeof OBJECTS =>
  typeof value === 'string' && Object.hasOwn(OBJECTS, value)

/** A part of the request that an expression reads, and the variable and the member that have it there. */
export interface RequestUse {
  readonly part: string
  readonly variable: string
  /** As it is written; undefined if the variable is the value. */
  readonly member: string | undefined
}

/** All parts that an expression reads. */
export const requestUses = (ast: Node): readonly RequestUse[] =>
  nodesOf(ast).flatMap((node: Parsed): RequestUse[] => {
    const part = requestPartOf(node)
    if (part === undefined) return []
    const [head, member] = node.steps ?? [node]
    return [{ part, variable: String(head?.value), member: member && String(member.value) }]
  })

/** Uses of the request of which it is not certain what they read, and names that hide it. */
export function* requestProblems(
  text: string,
  nodes: readonly Node[],
  bound: ReadonlySet<string>,
): Generator<ExpressionProblem> {
  const hidden = REQUEST_VARIABLES.filter((name) => bound.has(name))
  for (const name of hidden)
    yield {
      ...spanOf(text, { position: text.indexOf(`$${name}`) + name.length + 1 }, `$${name}`),
      message: `The variable $${name} is a part of the request.`,
      suggestion: 'Choose another name for the variable of the expression.',
    }
  const complete = new Set(
    nodes.flatMap((node: Parsed) => (requestPartOf(node) === undefined ? [] : [node.steps?.[0]])),
  )
  for (const node of nodes) {
    if (node.type !== 'variable' || !isObjectName(node.value) || complete.has(node)) continue
    if (hidden.includes(node.value)) continue
    const one = node.value === 'headers' ? 'a header' : 'a parameter'
    yield {
      ...spanOf(text, node, `$${node.value}`),
      message: `The name of ${one} is missing behind $${node.value}.`,
      suggestion:
        node.value === 'headers'
          ? 'Write $headers."X-GitHub-Event". An event has only the headers that the config names.'
          : 'Write $query.tenant. An event has only the parameters that the config names.',
    }
  }
}

/** Compiles the function that gives an expression the parts that it reads; undefined if it reads none. */
export function requestBindings(
  uses: readonly RequestUse[],
): ((request: RequestParts | undefined) => { readonly [variable: string]: unknown }) | undefined {
  if (uses.length === 0) return undefined
  const reads = uses.map(({ part, ...use }) => ({ ...use, at: partLocator(part) }))
  return (request) => {
    const values: { [variable: string]: unknown } = {}
    const members: { [variable: string]: [string, string][] } = {}
    for (const { variable, member, at } of reads) {
      const value = requestPart(at, request)
      if (member === undefined) values[variable] = value
      else {
        members[variable] ??= []
        if (value !== undefined) members[variable].push([member, value])
      }
    }
    // A member can have any name, `__proto__` too.
    for (const [variable, found] of Object.entries(members)) values[variable] = Object.fromEntries(found)
    return values
  }
}

/** The parts with their values, for people. */
export const requestValues = (
  uses: readonly RequestUse[],
  request: RequestParts | undefined,
): { readonly at: string; readonly value: unknown }[] =>
  [...new Set(uses.map(({ part }) => part))].map((part) => ({
    at: part,
    value: requestPart(partLocator(part), request),
  }))

const partLocator = (part: string) => locator(part) as PartLocator
