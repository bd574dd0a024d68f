import type { Decimal } from '../../../lib/json/decimal.js'
import type { Regex } from '../../../lib/regex.js'
import type { Resource, SchemaLocation } from './resources.js'

export type Limit = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'
export type CountKeyword = `${'min' | 'max'}${'Length' | 'Items' | 'Properties'}`

export interface Pattern {
  readonly regex: Regex
  readonly text: string
}

/**
 * A schema with its references followed, in the words of 2020-12 whatever its draft. Keywords that assert nothing are left
 * out. Filled in after it has been made, because schemas refer to each other in circles.
 */
export interface Node {
  readonly location: SchemaLocation
  readonly resource: Resource
  /** A boolean schema, and one that allows everything. */
  always?: boolean
  types?: readonly string[]
  /** A list of one value. */
  const?: readonly [unknown]
  enum?: readonly unknown[]
  limits?: readonly { readonly keyword: Limit; readonly value: number | Decimal }[]
  multipleOf?: number | Decimal
  counts?: readonly { readonly keyword: CountKeyword; readonly value: number }[]
  pattern?: Pattern
  format?: { readonly name: string; readonly test: (text: string) => boolean }
  uniqueItems?: boolean
  required?: readonly string[]
  dependentRequired?: readonly { readonly property: string; readonly names: readonly string[] }[]
  properties?: ReadonlyMap<string, Node>
  patternProperties?: readonly { readonly pattern: Pattern; readonly node: Node }[]
  additionalProperties?: Node
  propertyNames?: Node
  prefixItems?: readonly Node[]
  items?: Node
  contains?: { readonly node: Node; readonly min: number; readonly max: number }
  ref?: Node
  /** The schema with this dynamic anchor in the outermost resource that has one; `node` if none is dynamic. */
  dynamicRef?: { readonly anchor: string; readonly node: Node }
  allOf?: readonly Node[]
  anyOf?: readonly Node[]
  oneOf?: readonly Node[]
  not?: Node
  if?: {
    readonly test: Node
    readonly whenTrue: Node | undefined
    readonly whenFalse: Node | undefined
  }
  dependentSchemas?: readonly { readonly property: string; readonly node: Node }[]
  unevaluatedItems?: Node
  unevaluatedProperties?: Node
}

/** The schemas that look at the same value as this one. `targets`: of dynamic references. */
export function inPlace(node: Node, targets: (anchor: string) => readonly Node[]): Node[] {
  return [
    ...(node.ref ? [node.ref] : []),
    ...(node.dynamicRef ? [node.dynamicRef.node, ...targets(node.dynamicRef.anchor)] : []),
    ...(node.allOf ?? []),
    ...(node.anyOf ?? []),
    ...(node.oneOf ?? []),
    ...(node.not ? [node.not] : []),
    ...(node.if
      ? [node.if.test, node.if.whenTrue, node.if.whenFalse].filter((one) => one !== undefined)
      : []),
    ...(node.dependentSchemas?.map((one) => one.node) ?? []),
  ]
}

/** The schemas that look at a member or an item of it. */
export function below(node: Node): Node[] {
  return [
    ...(node.properties?.values() ?? []),
    ...(node.patternProperties?.map((one) => one.node) ?? []),
    ...(node.prefixItems ?? []),
    ...[
      node.additionalProperties,
      node.propertyNames,
      node.items,
      node.contains?.node,
      node.unevaluatedItems,
      node.unevaluatedProperties,
    ].filter((one) => one !== undefined),
  ]
}
