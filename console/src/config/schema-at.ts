/** The parts of a JSON Schema that help somebody who writes the JSON. */
export interface Schema {
  readonly $ref?: string
  readonly definitions?: { readonly [name: string]: Schema }
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly errorMessage?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly enumDescriptions?: readonly string[]
  readonly properties?: { readonly [name: string]: Schema }
  readonly patternProperties?: { readonly [pattern: string]: Schema }
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly if?: Schema
  readonly then?: Schema
  readonly else?: Schema
}

type Path = readonly (string | number)[]

/** The schemas that apply to the value at a path of a document, which may be unfinished. */
export function schemasAt(root: Schema, path: Path, document: unknown): readonly Schema[] {
  let value = document
  let schemas = expanded(root, [root], value)
  for (const step of path) {
    value = memberOf(value, step)
    schemas = expanded(
      root,
      schemas.flatMap((schema) => below(schema, step)),
      value,
    )
  }
  return schemas
}

/** The settings of the object at a path, with all of their schemas. */
export function settingsAt(
  root: Schema,
  path: Path,
  document: unknown,
): ReadonlyMap<string, readonly Schema[]> {
  const settings = new Map<string, readonly Schema[]>()
  for (const { properties = {} } of schemasAt(root, path, document))
    for (const [name, schema] of Object.entries(properties))
      settings.set(name, [...(settings.get(name) ?? []), ...expanded(root, [schema], undefined)])
  return settings
}

/** The values that schemas list: the default first, then constants and examples. As JSON, with a description. */
export function valuesOf(schemas: readonly Schema[]): ReadonlyMap<string, string | undefined> {
  const values = new Map<string, string | undefined>()
  const add = (value: unknown, description?: string) => {
    const json = JSON.stringify(value)
    if (json !== undefined && values.get(json) === undefined) values.set(json, description)
  }
  for (const schema of schemas) {
    if ('default' in schema) add(schema.default)
    if ('const' in schema) add(schema.const, schema.description)
    for (const [index, value] of (schema.enum ?? []).entries()) add(value, schema.enumDescriptions?.[index])
    if (schema.type === 'boolean') for (const value of [true, false]) add(value)
    for (const value of schema.examples ?? []) add(value)
  }
  return values
}

/** One word for the type, as a person would say it. */
export const typeOf = (schemas: readonly Schema[]): string =>
  [...new Set(schemas.flatMap(({ type = [] }) => type))].join(' or ')

/** With the schemas that they refer to or combine. Of alternatives, those that the value may be meant to be. */
function expanded(root: Schema, schemas: readonly Schema[], value: unknown): Schema[] {
  return schemas.flatMap((schema): Schema[] => {
    const { $ref, allOf = [], anyOf = [], oneOf = [], if: condition, then, else: otherwise } = schema
    const more: (Schema | undefined)[] = [...allOf, ...fitting(root, [...anyOf, ...oneOf], value)]
    if ($ref !== undefined) more.push(root.definitions?.[$ref.replace('#/definitions/', '')])
    if (condition !== undefined) more.push(isMet(root, condition, value) ? then : otherwise)
    return [
      schema,
      ...expanded(
        root,
        more.filter((one) => one !== undefined),
        value,
      ),
    ]
  })
}

/** Somebody may be typing a text or a number: only an object says which alternative is meant. */
function fitting(root: Schema, alternatives: readonly Schema[], value: unknown): readonly Schema[] {
  if (typeof value !== 'object' || value === null) return alternatives
  const fit = alternatives.filter((schema) => mayBe(root, schema, value))
  return fit.length === 0 ? alternatives : fit
}

const isMet = (root: Schema, condition: Schema, value: unknown): boolean =>
  (condition.required ?? []).every((name) => memberOf(value, name) !== undefined) &&
  mayBe(root, condition, value)

/** Whether nothing in the value says that another schema is meant: its type, its constants, the names of its settings. */
function mayBe(root: Schema, schema: Schema, value: unknown): boolean {
  if (schema.$ref !== undefined) {
    const referred = root.definitions?.[schema.$ref.replace('#/definitions/', '')]
    if (referred !== undefined) return mayBe(root, referred, value)
  }
  if (schema.type !== undefined && !typesOf(value).some((type) => [schema.type].flat().includes(type)))
    return false
  if ('const' in schema && schema.const !== value) return false
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
  if (
    schema.additionalProperties === false &&
    Object.keys(value).some((name) => below(schema, name).length === 0)
  )
    return false
  return Object.entries(schema.properties ?? {}).every(
    ([name, property]) => !(name in value) || isAllowed(property, memberOf(value, name)),
  )
}

/** By the constants of a schema. */
const isAllowed = (schema: Schema, value: unknown): boolean =>
  (!('const' in schema) || schema.const === value) && (schema.enum?.includes(value) ?? true)

function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  return typeof value === 'number' ? ['number', 'integer'] : [typeof value]
}

function below(
  { properties, patternProperties, additionalProperties, items }: Schema,
  step: string | number,
): Schema[] {
  if (typeof step === 'number') return items === undefined ? [] : [items]
  const own = properties?.[step]
  if (own !== undefined) return [own]
  const byPattern = Object.entries(patternProperties ?? {}).filter(([pattern]) =>
    new RegExp(pattern).test(step),
  )
  if (byPattern.length > 0) return byPattern.map(([, schema]) => schema)
  return typeof additionalProperties === 'object' ? [additionalProperties] : []
}

function memberOf(value: unknown, step: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as { [key: string]: unknown })[step] : undefined
}
