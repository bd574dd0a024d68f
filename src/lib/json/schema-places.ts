/** Finds required places in JSON Schemas. Reads only properties, `required`, `allOf` and local references. */

import { compileEcmaRegex } from '../regex.js'
import { child, pointer } from './pointer.js'

/** A schema, and the document in which its references are resolved. */
export interface Within {
  readonly schema: unknown
  readonly root: unknown
}

export interface Keywords {
  readonly [keyword: string]: unknown
}

const MOST_STEPS = 100

/** These schemas, and all others that a value has to match because of them. */
export function conjuncts(schemas: readonly Within[]): Within[] {
  const found = [...schemas]
  for (let index = 0; index < found.length && found.length < MOST_STEPS; index++) {
    const { schema, root } = found[index] as Within
    if (!isObject(schema)) continue
    const { allOf, $ref } = schema
    if (Array.isArray(allOf)) found.push(...allOf.map((inner: unknown) => ({ schema: inner, root })))
    const target = typeof $ref === 'string' && /^#(?:\/|$)/.test($ref) ? referred(root, $ref) : undefined
    if (target !== undefined && !found.some((other) => other.schema === target))
      found.push({ schema: target, root })
  }
  return found
}

/** A reference is relative to the nearest "$id", which only the root may have here. */
function referred(root: unknown, reference: string): unknown {
  const { tokens } = pointer(decodeURIComponent(reference.slice(1)))
  const path = tokens.map((_, index) =>
    tokens.slice(0, index + 1).reduce<string>((at, token) => child(at, token), ''),
  )
  const hasId = path.some(
    (at) => isObject(pointer(at).read(root)) && '$id' in (pointer(at).read(root) as Keywords),
  )
  return hasId ? undefined : pointer(path.at(-1) ?? '').read(root)
}

/** The schemas of a member. */
export function members({ schema, root }: Within, name: string): Within[] {
  if (!isObject(schema)) return []
  const { properties, patternProperties, additionalProperties } = schema
  const own = isObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : []
  const patterns = Object.entries(isObject(patternProperties) ? patternProperties : {})
    .filter(([pattern]) => compileEcmaRegex(pattern).test(name))
    .map(([, inner]) => inner)
  const named = [...own, ...patterns]
  const other = named.length === 0 && additionalProperties !== undefined ? [additionalProperties] : []
  return [...named, ...other].map((inner) => ({ schema: inner, root }))
}

export const isObject = (value: unknown): value is Keywords =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether JSON Schemas require something at this place, in every object on the way to it. */
export function isRequired(schemas: readonly unknown[], place: string): boolean {
  let here = conjuncts(schemas.map((schema) => ({ schema, root: schema })))
  for (const token of pointer(place).tokens) {
    if (!here.some(({ schema }) => requires(schema, token))) return false
    here = conjuncts(here.flatMap((within) => members(within, token)))
  }
  return true
}

const requires = (schema: unknown, name: string): boolean =>
  isObject(schema) && Array.isArray(schema['required']) && schema['required'].includes(name)
