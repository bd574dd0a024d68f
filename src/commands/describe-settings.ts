import { presence, range, type Schema, typeOf } from '../config/setting-traits.js'

/** Every setting with its type, default and meaning, for people; made from the schema that validates. */
export function describeSettings(schema: Schema): string {
  return describeObject(schema, '').join('\n')
}

function describeObject({ properties = {}, required = [] }: Schema, indent: string, skip?: string): string[] {
  return Object.entries(properties)
    .filter(([name]) => name !== skip)
    .flatMap(([name, schema]) => [...describe(name, schema, required.includes(name), indent), ''])
}

function describe(name: string, schema: Schema, required: boolean, indent: string): string[] {
  const traits = [typeOf(schema), presence(schema, required), range(schema)].filter((trait) => trait !== '')
  const head = `${indent}${name}  (${traits.join(', ')})`
  const meaning = schema.description === undefined ? [] : wrap(schema.description, `${indent}    `)
  const written = schema.expected === undefined ? [] : wrap(`Written as ${schema.expected}.`, `${indent}    `)
  return [head, ...meaning, ...written, ...inner(schema, `${indent}    `)]
}

/** What stands inside an object, inside the elements of a list, or in each shape that a setting can take. */
function inner(schema: Schema, indent: string): string[] {
  if (schema.properties !== undefined) return ['', ...describeObject(schema, indent)].slice(0, -1)
  if (schema.items?.properties !== undefined) return inner(schema.items, indent)
  const tag = schema.discriminator?.propertyName
  return (schema.oneOf ?? schema.anyOf ?? []).flatMap((shape) => {
    if (shape.properties === undefined) return []
    if (tag === undefined) return ['', ...describeObject(shape, indent)].slice(0, -1)
    const title = `${indent}where "${tag}" is ${JSON.stringify(shape.properties[tag]?.const)}:`
    const meaning = shape.description === undefined ? [] : wrap(shape.description, `${indent}    `)
    return ['', title, ...meaning, '', ...describeObject(shape, `${indent}    `, tag)].slice(0, -1)
  })
}

const WIDTH = 100

function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}
