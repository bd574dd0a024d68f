import { child, pointer } from '../../../json/pointer.js'
import { compileEcmaRegex } from '../../../regex.js'

/** A schema, and the file that its references are looked up in. */
interface Within {
  readonly schema: unknown
  readonly root: unknown
}

interface Keywords {
  readonly [keyword: string]: unknown
}

const MOST_STEPS = 100

/**
 * The values that can stand at a place of an event which fits all these JSON Schemas: none where nothing can stand there,
 * undefined where they are not known. What a schema says in other ways than the plain ones is left out of account, so
 * that the true set is never larger. `objectsOnly`: also undefined where something on the way could be an array.
 */
export function possibleValues(
  schemas: readonly unknown[],
  place: string,
  objectsOnly = false,
): readonly unknown[] | undefined {
  let here = conjuncts(schemas.map((schema) => ({ schema, root: schema })))
  for (const token of pointer(place).tokens) {
    if (here.some(({ schema }) => schema === false)) return []
    const types = here.flatMap(({ schema }) => typesOf(schema as Keywords))
    if (types.some((list) => !list.includes('object') && !list.includes('array'))) return []
    const onlyObjects = types.some((list) => !list.includes('array'))
    if (!onlyObjects && (objectsOnly || /^\d+$/.test(token))) return undefined
    here = conjuncts(here.flatMap((within) => members(within, token)))
  }
  if (here.some(({ schema }) => schema === false)) return []
  const lists = here.flatMap(({ schema }) => valueLists(schema as Keywords))
  const [first, ...others] = lists
  return first?.filter((value) =>
    others.every((list) => list.some((other) => JSON.stringify(other) === JSON.stringify(value))),
  )
}

/** All schemas that hold together with these. */
function conjuncts(given: readonly Within[]): Within[] {
  const found = [...given]
  for (let index = 0; index < found.length && found.length < MOST_STEPS; index++) {
    const { schema, root } = found[index] as Within
    if (!isObject(schema)) continue
    const { allOf, $ref } = schema
    if (Array.isArray(allOf)) found.push(...allOf.map((inner: unknown) => ({ schema: inner, root })))
    const target = typeof $ref === 'string' && /^#(?:\/|$)/.test($ref) ? referred(root, $ref) : undefined
    if (target !== undefined && !found.some((known) => known.schema === target))
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

/** What a schema says of a member. */
function members({ schema, root }: Within, name: string): Within[] {
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

const typesOf = (schema: Keywords | true): string[][] =>
  isObject(schema) && schema['type'] !== undefined ? [[schema['type']].flat() as string[]] : []

function valueLists(schema: Keywords | true): (readonly unknown[])[] {
  if (!isObject(schema)) return []
  const { type } = schema
  return [
    ...(Array.isArray(schema['enum']) ? [schema['enum']] : []),
    ...('const' in schema ? [[schema['const']]] : []),
    ...(type === 'boolean' ? [[true, false]] : []),
    ...(type === 'null' ? [[null]] : []),
  ]
}

const isObject = (value: unknown): value is Keywords =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
