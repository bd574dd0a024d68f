import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { getLocation, type JSONPath, type Location, parse } from 'jsonc-parser'
import { type Schema, schemasAt, settingsAt, typeOf, valuesOf } from './schema-at.js'

/** Names and values that the schema allows at the cursor. */
export function completionsOf(
  schema: Schema,
  { state, pos, explicit }: Pick<CompletionContext, 'state' | 'pos' | 'explicit'>,
): CompletionResult | null {
  const text = state.doc.toString()
  const location = getLocation(text, pos)
  const { isAtPropertyKey, previousNode } = location
  const isTyping = previousNode !== undefined && previousNode.offset < pos
  const from = isTyping && previousNode.type !== undefined ? previousNode.offset : pos
  const to = isTyping ? Math.max(pos, previousNode.offset + previousNode.length) : pos
  if (!explicit && !isTyping) return null
  const options = isAtPropertyKey
    ? names(schema, location, text, /^\s*:/.test(text.slice(to, to + 100)))
    : values(schema, location, text)
  return options.length === 0 ? null : { from, to, options, filter: true }
}

function names(schema: Schema, { path }: Location, text: string, hasColon: boolean): Completion[] {
  const around = path.slice(0, -1)
  const document = documentOf(text)
  const present = valueAt(document, around) ?? {}
  const current = String(path.at(-1) ?? '')
  return [...settingsAt(schema, around, document)]
    .filter(([name]) => name === current || !Object.hasOwn(present as object, name))
    .map(([name, schemas]) => ({
      label: JSON.stringify(name),
      type: 'property',
      detail: typeOf(schemas),
      info: descriptionOf(schemas),
      apply: JSON.stringify(name) + (hasColon ? '' : `: ${beginningOf(schemas)}`),
    }))
}

const values = (schema: Schema, { path }: Location, text: string): Completion[] =>
  [...valuesOf(schemasAt(schema, path, documentOf(text)))].map(([json, description]) => ({
    label: json,
    type: 'constant',
    ...(description !== undefined && { info: description }),
  }))

/** The default, or what every value of the type begins with. */
function beginningOf(schemas: readonly Schema[]): string {
  const [first] = valuesOf(schemas.filter((schema) => 'default' in schema)).keys()
  if (first !== undefined) return first
  const type = typeOf(schemas)
  if (type === 'object') return '{}'
  if (type === 'array') return '[]'
  return type === 'string' ? '""' : ''
}

/** The entries of the schema about a setting. */
export interface Explanation {
  readonly from: number
  readonly to: number
  readonly name: string
  readonly type: string
  /** The default, as JSON. */
  readonly preset: string | undefined
  readonly description: string
  readonly expected: string | undefined
}

/** The setting at an offset, at its name or its value; undefined if nothing is known of it. */
export function explanationAt(schema: Schema, text: string, offset: number): Explanation | undefined {
  const { path, previousNode } = getLocation(text, offset)
  if (previousNode === undefined || offset > previousNode.offset + previousNode.length) return undefined
  const schemas = schemasAt(schema, path, documentOf(text))
  const description = descriptionOf(schemas)
  if (description === '') return undefined
  const preset = schemas.find((one) => 'default' in one)
  return {
    from: previousNode.offset,
    to: previousNode.offset + previousNode.length,
    name: String(path.at(-1) ?? ''),
    type: typeOf(schemas),
    preset: preset === undefined ? undefined : JSON.stringify(preset.default),
    description,
    expected: schemas.find(({ errorMessage }) => errorMessage !== undefined)?.errorMessage,
  }
}

const descriptionOf = (schemas: readonly Schema[]): string =>
  schemas.find(({ description = '' }) => description !== '')?.description ?? ''

/** As far as it can be read. */
const documentOf = (text: string): unknown => parse(text, [], { allowTrailingComma: true })

const valueAt = (document: unknown, path: JSONPath): unknown =>
  path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as { [key: string]: unknown })[step] : undefined,
    document,
  )
