import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HeadgateError } from '../../../errors.js'
import { syntaxError } from '../../../json/syntax.js'
import type { Files } from '../../../plugin.js'

/** A schema file. */
export interface Document {
  /** As a config would write it. */
  readonly path: string
  /** What references in it are resolved against. */
  readonly uri: string
  readonly schema: JsonSchema | boolean
  /** The member names that begin with "x-": annotations for other tools. */
  readonly extensions: readonly string[]
}

export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** Reads the file of the setting. Throws HG_CONFIG_UNREADABLE, or HG_CONFIG_SCHEMA_FILE where it holds no schema. */
export function readMain(files: Files, path: string): Document {
  const content = parse(path, files.read(path))
  const file = pathToFileURL(files.resolve(path)).href
  const id = idOf(content.schema) ?? file
  if (URL.canParse(id, file)) return { path, uri: new URL(id, file).href, ...content }
  throw new HeadgateError('HG_CONFIG_SCHEMA_FILE', `The schema file ${path} has an "$id" that is not a URI.`)
}

/**
 * The file that a URI means: the one that lies beside a known file as the two URIs do, or else the one in the folder of
 * the main schema (the first of `known`) that has the URI as its "$id". Nothing outside of that folder is read, and
 * nothing is ever fetched.
 */
export function findByUri(
  files: Files,
  uri: string,
  known: readonly [Document, ...Document[]],
): Document | undefined {
  const folder = dirname(known[0].path)
  for (const document of known) {
    const path = beside(document, uri)
    const text = path === undefined || isOutside(folder, path) ? undefined : readIfThere(files, path)
    if (path !== undefined && text !== undefined) return { path, uri, ...parse(path, text) }
  }
  for (const name of files.list(folder).filter((name) => name.endsWith('.json'))) {
    const path = join(folder, name)
    const content = parseIfSchema(path, readIfThere(files, path))
    if (content !== undefined && idOf(content.schema)?.replace(/#$/, '') === uri)
      return { path, uri, ...content }
  }
  return undefined
}

function beside(known: Document, uri: string): string | undefined {
  const parent = known.uri.slice(0, known.uri.lastIndexOf('/') + 1)
  if (parent === '' || !uri.startsWith(parent)) return undefined
  return join(dirname(known.path), decodeURI(uri.slice(parent.length)))
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
function parseIfSchema(
  path: string,
  text: string | undefined,
): Pick<Document, 'schema' | 'extensions'> | undefined {
  try {
    return text === undefined ? undefined : parse(path, text)
  } catch {
    return undefined
  }
}

function parse(path: string, text: string): Pick<Document, 'schema' | 'extensions'> {
  const extensions = new Set<string>()
  try {
    const schema: unknown = JSON.parse(text, (key, value: unknown) => {
      if (/^x-[a-z0-9_$:-]*$/i.test(key)) extensions.add(key)
      return value
    })
    if (isSchema(schema)) return { schema, extensions: [...extensions] }
  } catch {
    throw new HeadgateError(
      'HG_CONFIG_SCHEMA_FILE',
      `The schema file ${path} is not JSON: ${syntaxError(text)}.`,
    )
  }
  throw new HeadgateError(
    'HG_CONFIG_SCHEMA_FILE',
    `The schema file ${path} holds neither an object nor a boolean.`,
  )
}

const isSchema = (value: unknown): value is JsonSchema | boolean =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
