type Schema = { readonly [keyword: string]: unknown }

/** A schema without the parts that a value does not use. */
export interface Narrowed {
  readonly schema: Schema
  /** Equal for values that use the same parts. */
  readonly parts: string
}

/**
 * Leaves out the alternatives of a union that the discriminator of the value does not choose, and the content of absent settings
 * that have no default. A value has the same violations by both. Of the settings of `http-webhook` some tenth is used at a time, and
 * compiling the rest took a fifth of the CPU time of a start.
 */
export function narrowSchema(schema: Schema, value: unknown): Narrowed {
  const parts: string[] = []
  return { schema: narrow(schema, value, parts), parts: parts.join() }
}

function narrow(schema: Schema, value: unknown, parts: string[]): Schema {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return schema
  const object = value as { readonly [name: string]: unknown }
  const alternative = chosenAlternative(schema, object)
  if (alternative !== undefined) {
    parts.push(`${alternative.at}`)
    return narrow(alternative.schema, value, parts)
  }
  const properties = schema['properties'] as { readonly [name: string]: Schema } | undefined
  if (properties === undefined) return schema
  const narrowed: { [name: string]: Schema } = {}
  for (const [name, property] of Object.entries(properties)) {
    if (Object.hasOwn(object, name)) {
      parts.push(`${name}(`)
      narrowed[name] = narrow(property, object[name], parts)
      parts.push(')')
    } else narrowed[name] = 'default' in property ? withDefault(property, parts) : withoutContent(property)
  }
  return { ...schema, properties: narrowed }
}

/** The default becomes the value before it is checked. */
const withDefault = (property: Schema, parts: string[]): Schema => ({
  ...narrow(property, property['default'], parts),
  default: property['default'],
})

function chosenAlternative(
  { oneOf, discriminator }: Schema,
  value: { readonly [name: string]: unknown },
): { readonly at: number; readonly schema: Schema } | undefined {
  if (discriminator === undefined) return undefined
  const { propertyName } = discriminator as { readonly propertyName: string }
  const alternatives = oneOf as readonly { readonly properties: { readonly [name: string]: Schema } }[]
  const at = alternatives.findIndex(
    ({ properties }) => properties[propertyName]?.['const'] === value[propertyName],
  )
  return at === -1 ? undefined : { at, schema: alternatives[at] as unknown as Schema }
}

/** The error about a missing setting has its description. */
const withoutContent = ({ description }: Schema): Schema => (description === undefined ? {} : { description })
