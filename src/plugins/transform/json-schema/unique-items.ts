import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv'

/**
 * `uniqueItems` in linear time. Ajv compares every item with every other: an array of some hundred thousand items, which
 * fits into a body of one MiB, would hold the process for minutes.
 */
export const uniqueItems: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  errors: true,
  validate: check(),
}

function check(): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (wanted: boolean, items: readonly unknown[]) => {
    if (!wanted) return true
    const seen = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const text = canonical(item)
      const first = seen.get(text)
      if (first !== undefined) {
        validate.errors = [
          {
            keyword: 'uniqueItems',
            message: `must not have equal items (${first} and ${index} are)`,
            params: {},
          },
        ]
        return false
      }
      seen.set(text, index)
    }
    return true
  }
  return validate
}

/** Two values have the same text if and only if JSON Schema calls them equal: the order of members means nothing. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.sort().join()}}`
}
