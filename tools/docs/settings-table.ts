import { range, type Schema, typeOf } from '../../src/config/editor-schema.js'

interface Row {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** A setting that takes one of several shapes; each has a table of its own. */
interface Shape {
  readonly title: string
  readonly meaning: string
  readonly schema: Schema
  readonly tag: string
}

/** Every setting of a schema as a Markdown table, with those of each shape that a setting can take in tables below it. */
export function settingsTable(schema: Schema, prefix = '', skip?: string): string {
  const rows: Row[] = []
  const shapes: Shape[] = []
  collect(schema, prefix, skip, rows, shapes)
  return [...(rows.length > 0 ? [table(rows)] : ['No settings.']), ...shapes.map(shapeTable)].join('\n\n')
}

function collect(
  schema: Schema,
  prefix: string,
  skip: string | undefined,
  rows: Row[],
  shapes: Shape[],
): void {
  for (const [key, setting] of Object.entries(schema.properties ?? {})) {
    if (key === skip) continue
    const name = `${prefix}${key}`
    rows.push({ name, schema: setting, required: schema.required?.includes(key) ?? false })
    collectInner(name, setting, rows, shapes)
  }
}

function collectInner(name: string, schema: Schema, rows: Row[], shapes: Shape[]): void {
  if (schema.items !== undefined) collectInner(`${name}[]`, schema.items, rows, shapes)
  collect(schema, `${name}.`, undefined, rows, shapes)
  const tag = schema.discriminator?.propertyName
  for (const shape of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    if (tag === undefined) {
      collect(shape, `${name}.`, undefined, rows, shapes)
      continue
    }
    const chosen = shape.properties?.[tag]
    const title = `\`${name}\` with \`"${tag}": ${JSON.stringify(chosen?.const)}\``
    const meaning = [shape.description, chosen?.description].filter((text) => text !== undefined).join(' ')
    shapes.push({ title, meaning, schema: shape, tag: `${name}.${tag}` })
  }
}

function shapeTable({ title, meaning, schema, tag }: Shape): string {
  const [prefix, key] = [tag.slice(0, tag.lastIndexOf('.') + 1), tag.slice(tag.lastIndexOf('.') + 1)]
  const others = Object.keys(schema.properties ?? {}).length > 1
  const head = `${title}${meaning === '' ? '' : `: ${meaning}`}`
  return others ? `${head}\n\n${settingsTable(schema, prefix, key)}` : head
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, schema, required }) => {
    const type = [notationOf(schema) ?? typeOf(schema), range(schema)]
      .filter((trait) => trait !== '')
      .join(', ')
    return `| ${[`\`${name}\``, type, preset(schema, required), meaning(schema)].map(cell).join(' | ')} |`
  })
  return ['| setting | type | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

/** Explained once on the page: times, sizes and places. */
function notationOf({ expected = '', anyOf }: Schema): string | undefined {
  const [, notation] = /^a (duration|size|JSON Pointer) such as "/.exec(expected) ?? []
  return anyOf === undefined ? notation : undefined
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function preset(schema: Schema, required: boolean): string {
  if (schema.default === undefined) return required ? 'required' : 'none'
  const isEmpty = JSON.stringify(schema.default) === '{}' && schema.properties !== undefined
  return isEmpty ? 'as below' : `\`${JSON.stringify(schema.default)}\``
}

/** With what each of several words means, and how the value is written where its type does not say it. */
function meaning(schema: Schema): string {
  const { description = '', expected, anyOf = [] } = schema
  const words = anyOf.flatMap(({ const: word, description: meaning }) =>
    word !== undefined && meaning !== undefined ? [`\`${JSON.stringify(word)}\`: ${meaning}`] : [],
  )
  const isSaid = notationOf(schema) !== undefined || anyOf.some((shape) => shape.const !== undefined)
  const written = expected === undefined || isSaid ? [] : [`Written as ${expected}.`]
  return [description, ...words, ...written].filter((text) => text !== '').join(' ')
}
