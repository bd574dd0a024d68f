/** A JSON Schema, or a part of one. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A reference to a provider, anywhere in a text. */
const REFERENCE = '\\$\\{(?:env|file|dir):'
const aReference = { type: 'string', pattern: REFERENCE, description: 'A reference to a provider.' }

/** Formats that editors do not know, as patterns. */
const FORMATS: { readonly [format: string]: string } = {
  'json-pointer': '^(?:/(?:[^~/]|~[01])*)*$',
  path: '\\S',
}

/**
 * The schema of what people write, from the one of what plugins are given: defaults are not filled in yet, and any text
 * may be a ${...} reference. What is `expected` becomes the message that editors show.
 */
export function asWritten(schema: object): JsonSchema {
  const { expected, ...rest } = withinEach(schema)
  const written = withReference(withoutDefaulted(withPattern(rest)))
  return typeof expected === 'string' ? { ...written, errorMessage: `Expected is ${expected}.` } : written
}

/** By what the keyword holds: one schema, a list of them, or schemas by name. */
const ONE = ['items', 'additionalProperties', 'propertyNames', 'not']
const LIST = ['anyOf', 'oneOf', 'allOf']
const NAMED = ['properties', 'patternProperties']

function withinEach(schema: object): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (typeof value !== 'object' || value === null) return [keyword, value]
    if (ONE.includes(keyword)) return [keyword, asWritten(value)]
    if (LIST.includes(keyword)) return [keyword, (value as object[]).map(asWritten)]
    if (!NAMED.includes(keyword)) return [keyword, value]
    const named = Object.entries(value).map(([name, inner]) => [name, asWritten(inner as object)])
    return [keyword, Object.fromEntries(named)]
  })
  return Object.fromEntries(entries)
}

function withPattern({ format, ...schema }: JsonSchema): JsonSchema {
  const pattern = FORMATS[String(format)]
  return pattern === undefined
    ? { ...schema, ...(format !== undefined && { format }) }
    : { ...schema, pattern }
}

function withoutDefaulted(schema: JsonSchema): JsonSchema {
  const { required, properties, ...rest } = schema
  if (!Array.isArray(required) || properties === undefined) return schema
  const settings = properties as { readonly [name: string]: JsonSchema }
  const needed = required.filter((name: string) => !('default' in (settings[name] ?? {})))
  return { ...rest, properties, ...(needed.length > 0 && { required: needed }) }
}

function withReference(schema: JsonSchema): JsonSchema {
  const { pattern, enum: values, anyOf, oneOf, discriminator } = schema
  if (typeof pattern === 'string') return { ...schema, pattern: `${REFERENCE}|${pattern}` }
  if (Array.isArray(values)) {
    const { enum: _values, enumDescriptions, type, ...rest } = schema
    const listed = { enum: values, ...(enumDescriptions !== undefined && { enumDescriptions }) }
    return { ...rest, anyOf: [listed, aReference] }
  }
  if (Array.isArray(anyOf) && anyOf.some(isText)) return { ...schema, anyOf: [...anyOf, aReference] }
  const tag = (discriminator as { readonly propertyName: string } | undefined)?.propertyName
  if (Array.isArray(oneOf) && tag !== undefined) {
    return { ...schema, oneOf: [...oneOf, { properties: { [tag]: aReference }, required: [tag] }] }
  }
  return schema
}

const isText = (schema: JsonSchema): boolean => typeof schema['const'] === 'string'
