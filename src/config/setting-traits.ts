/** What the schema of a setting says of it, as far as people are shown it. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly expected?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly properties?: { readonly [name: string]: Schema }
  readonly patternProperties?: { readonly [pattern: string]: Schema }
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly discriminator?: { readonly propertyName: string }
}

export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' | ')
  if (schema.type === 'array' && schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  return schema.type === undefined ? 'any' : [schema.type].flat().join(' | ')
}

export function presence(schema: Schema, required: boolean): string {
  if (schema.default !== undefined) return `default ${JSON.stringify(schema.default)}`
  return required ? 'required' : 'optional'
}

export function range({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (exclusiveMinimum !== undefined) return `more than ${exclusiveMinimum}`
  return minimum === undefined ? '' : `at least ${minimum}`
}
