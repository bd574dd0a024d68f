import { pointer } from '../../../lib/json/pointer.js'
import { conjuncts, isObject, type Keywords, members } from '../../../lib/json/schema-places.js'

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
