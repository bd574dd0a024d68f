/** There is an array on the way to a place or at it. What is there then, only JSONata can say. */
export const MANY = Symbol('many')

/** What a JSONata path that is nothing but names finds in a value; undefined where there is nothing. */
export function placeValue(root: unknown, names: readonly string[]): unknown {
  let value = root
  for (const name of names) {
    if (Array.isArray(value)) return MANY
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name) || isCallable(value))
      return undefined
    value = (value as { [name: string]: unknown })[name]
  }
  return Array.isArray(value) ? MANY : value
}

/** JSONata takes an object with such a mark for a function, and finds nothing in it. */
const isCallable = (value: { _jsonata_function?: unknown; _jsonata_lambda?: unknown }): boolean =>
  value._jsonata_function === true || value._jsonata_lambda === true
