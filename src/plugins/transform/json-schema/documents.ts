import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { HeadgateError } from '../../../contract/errors.js'
import type { Files } from '../../../contract/index.js'
import { syntaxError } from '../../../lib/json/body.js'
import { parseExact } from '../../../lib/json/exact-numbers.js'

/** A schema file. */
export interface Document {
  /** As a config would write it. */
  readonly path: string
  /** The base of its references. */
  readonly uri: string
  /** Numbers that no double holds are Decimals. */
  readonly schema: JsonSchema | boolean
}

export interface JsonSchema {
  readonly [keyword: string]: unknown
}

export type Draft = '07' | '2020-12'

/** By "$schema", without its scheme and its empty fragment. */
const DRAFTS: ReadonlyMap<string, Draft> = new Map([
  ['json-schema.org/draft-07/schema', '07'],
  ['json-schema.org/draft/2020-12/schema', '2020-12'],
])

/** Undefined if the schema does not say. Throws HG_CONFIG_SCHEMA_FILE for any other draft. */
export function draftOf({ path, schema }: Pick<Document, 'path' | 'schema'>): Draft | undefined {
  const name = typeof schema === 'object' ? schema['$schema'] : undefined
  if (name === undefined) return undefined
  const draft = DRAFTS.get(
    String(name)
      .replace(/^https?:\/\//, '')
      .replace(/#$/, ''),
  )
  if (draft !== undefined) return draft
  throw new HeadgateError(
    'HG_CONFIG_SCHEMA_FILE',
    `The schema file ${path} has a "$schema" that is neither draft 07 nor 2020-12.`,
  )
}

/** Reads the file of the setting. Throws HG_CONFIG_UNREADABLE, or HG_CONFIG_SCHEMA_FILE if it is no schema. */
export function readMain(files: Files, path: string): Document {
  return inFile(files, path, parse(path, files.read(path)))
}

/** Under the "$id" that it gives itself, if it does. */
function inFile(files: Files, path: string, schema: JsonSchema | boolean, found?: string): Document {
  const file = found ?? pathToFileURL(files.resolve(path)).href
  const id = idOf(schema)
  const uri = id === undefined ? file : resolved(id, file)
  if (uri !== undefined) return { path, uri: uri.replace(/#.*$/, ''), schema }
  throw new HeadgateError('HG_CONFIG_SCHEMA_FILE', `The schema file ${path} has an "$id" that is not a URI.`)
}

/**
 * Finds the file of a URI: by its path relative to one of `documents`, if that is the path between their URIs, or else by
 * its "$id" in the folder of the main schema (the first of `documents`). Never reads a file outside of that folder, and
 * never fetches one.
 */
export function findByUri(
  files: Files,
  uri: string,
  documents: readonly [Document, ...Document[]],
): Document | undefined {
  const folder = dirname(documents[0].path)
  for (const document of documents) {
    const path = relativeTo(document, uri)
    const text = path === undefined || isOutside(folder, path) ? undefined : readIfThere(files, path)
    if (path !== undefined && text !== undefined) return inFile(files, path, parse(path, text), uri)
  }
  for (const name of files.list(folder).filter((name) => name.endsWith('.json'))) {
    const path = join(folder, name)
    const schema = parseIfSchema(path, readIfThere(files, path))
    if (schema === undefined || idOf(schema) === undefined) continue
    const file = pathToFileURL(files.resolve(path)).href
    if (resolved(idOf(schema) ?? '', file)?.replace(/#$/, '') === uri) return { path, uri, schema }
  }
  return undefined
}

function resolved(reference: string, base: string): string | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base).href : undefined
}

function relativeTo(document: Document, uri: string): string | undefined {
  const parent = document.uri.slice(0, document.uri.lastIndexOf('/') + 1)
  if (parent === '' || !uri.startsWith(parent)) return undefined
  try {
    return join(dirname(document.path), decodeURI(uri.slice(parent.length)))
  } catch {
    return undefined
  }
}

const isOutside = (folder: string, path: string): boolean => relative(folder, path).startsWith('..')

const idOf = (schema: JsonSchema | boolean): string | undefined =>
  typeof schema === 'object' && typeof schema['$id'] === 'string' ? schema['$id'] : undefined

function readIfThere(files: Files, path: string): string | undefined {
  try {
    return files.read(path)
  } catch {
    return undefined
  }
}

/** Other files of the folder need not be schemas. */
function parseIfSchema(path: string, text: string | undefined): JsonSchema | boolean | undefined {
  try {
    return text === undefined ? undefined : parse(path, text)
  } catch {
    return undefined
  }
}

export function parse(path: string, text: string): JsonSchema | boolean {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch {
    throw new HeadgateError(
      'HG_CONFIG_SCHEMA_FILE',
      `The schema file ${path} is not JSON: ${syntaxError(text)}.`,
    )
  }
  if (isSchema(schema)) return (parseExact(Buffer.from(text)) as JsonSchema | undefined) ?? schema
  throw new HeadgateError(
    'HG_CONFIG_SCHEMA_FILE',
    `The schema file ${path} holds neither an object nor a boolean.`,
  )
}

const isSchema = (value: unknown): value is JsonSchema | boolean =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))

const META_SCHEMAS: { readonly [draft in Draft]: string } = {
  '07': 'http://json-schema.org/draft-07/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
}

const documents = new Map<string, Document & { draft: Draft }>()

/** The schemas of schemas, which come with ajv. */
export function metaSchema(uri: string): (Document & { readonly draft: Draft }) | undefined {
  if (documents.size === 0) {
    add('07', new Ajv({ logger: false }))
    add('2020-12', new Ajv2020({ logger: false }))
  }
  return documents.get(uri)
}

export const metaSchemaOf = (draft: Draft): Document & { readonly draft: Draft } => {
  const found = metaSchema(META_SCHEMAS[draft])
  if (found === undefined) throw new Error(`ajv does not have ${META_SCHEMAS[draft]}`)
  return found
}

function add(draft: Draft, { schemas }: Ajv): void {
  for (const [key, environment] of Object.entries(schemas)) {
    const uri = key.replace(/#$/, '')
    const path = uri
    if (environment !== undefined && /^https?:/.test(uri))
      documents.set(uri, { path, uri, schema: environment.schema as JsonSchema, draft })
  }
}
