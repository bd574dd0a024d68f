import { child, pointer as compilePointer } from '../../../lib/json/pointer.js'
import { type Document, type Draft, draftOf, type JsonSchema } from './documents.js'

/** A schema with a URI of its own: a file, or a part of one with an "$id". */
export interface Resource {
  readonly uri: string
  readonly draft: Draft
  readonly root: SchemaLocation
  readonly anchors: Map<string, SchemaLocation>
  readonly dynamicAnchors: Map<string, SchemaLocation>
}

/** The location of a schema, for messages. */
export interface SchemaLocation {
  readonly document: Document
  readonly pointer: string
  readonly schema: unknown
}

/** Keywords that have one schema, a list of them, or a map, in the drafts that know them. */
const COMMON = ['additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else', 'items']
const KEYWORDS = {
  '07': {
    one: new Set([...COMMON, 'additionalItems']),
    list: new Set(['allOf', 'anyOf', 'oneOf', 'items']),
    map: new Set(['properties', 'patternProperties', 'definitions', 'dependencies']),
  },
  '2020-12': {
    one: new Set([...COMMON, 'unevaluatedItems', 'unevaluatedProperties', 'contentSchema']),
    list: new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']),
    map: new Set([
      ...['properties', 'patternProperties', 'definitions', 'dependencies'],
      ...['$defs', 'dependentSchemas'],
    ]),
  },
} as const

export const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isSchema = (value: unknown): value is JsonSchema | boolean =>
  typeof value === 'boolean' || isObject(value)

/** Every schema directly in a schema, whatever it is there for, with its pointer. */
export function* inner(schema: JsonSchema, pointer: string, draft: Draft): Generator<[unknown, string]> {
  const { one, list, map } = KEYWORDS[draft]
  // Draft 07 ignores all siblings of a reference, but definitions among them can be referred to.
  for (const name of Object.keys(schema)) {
    const value = schema[name]
    if (one.has(name) && isSchema(value)) yield [value, child(pointer, name)]
    else if (list.has(name) && Array.isArray(value)) {
      const at = child(pointer, name)
      for (const [index, item] of value.entries()) yield [item, child(at, index)]
    } else if (map.has(name) && isObject(value)) {
      const at = child(pointer, name)
      for (const [key, item] of Object.entries(value)) if (isSchema(item)) yield [item, child(at, key)]
    }
  }
}

/** Schemas by their URIs. A document is read when it is first referred to. */
export class Resources {
  readonly #byUri = new Map<string, Resource>()
  readonly #bySchema = new Map<JsonSchema, Resource>()
  readonly #load: (uri: string) => { document: Document; draft: Draft } | undefined
  readonly #duplicate: (location: SchemaLocation, id: string) => Error

  constructor(
    load: (uri: string) => { document: Document; draft: Draft } | undefined,
    duplicate: (location: SchemaLocation, id: string) => Error,
  ) {
    this.#load = load
    this.#duplicate = duplicate
  }

  /** `uri`: the URI by which it was found, if it names itself otherwise. */
  add(document: Document, draft: Draft, uri = document.uri): Resource {
    const root = { document, pointer: '', schema: document.schema }
    const resource = this.#open(document.uri, draft, root)
    this.#byUri.set(uri, resource)
    this.#identify(root, resource)
    return resource
  }

  /** The resource that a schema belongs to; `around` for one at a location where no schema is expected. */
  of(location: SchemaLocation, around: Resource): Resource {
    if (!isObject(location.schema)) return around
    if (!this.#bySchema.has(location.schema)) this.#identify(location, around)
    return this.#bySchema.get(location.schema) ?? around
  }

  /** The target of a reference. Undefined if there is no such resource, or no such location in it. */
  resolve(reference: string, base: Resource): { resource: Resource; location: SchemaLocation } | undefined {
    const uri = resolveUri(reference, base.uri)
    if (uri === undefined) return undefined
    const [address = '', fragment = ''] = splitFragment(uri)
    const resource = this.find(address)
    if (resource === undefined) return undefined
    const text = decoded(fragment)
    if (text === undefined) return undefined
    if (text === '' || text.startsWith('/')) return this.#walk(resource, text)
    const location = resource.anchors.get(text)
    return location && { resource: this.of(location, resource), location }
  }

  find(address: string): Resource | undefined {
    const existing = this.#byUri.get(address)
    if (existing !== undefined) return existing
    const loaded = this.#load(address)
    return loaded && this.add(loaded.document, loaded.draft, address)
  }

  all(): Iterable<Resource> {
    return this.#byUri.values()
  }

  /** Along a pointer: schemas on the way may have URIs of their own. */
  #walk(from: Resource, text: string): { resource: Resource; location: SchemaLocation } | undefined {
    let resource = from
    let location = from.root
    for (const token of text === '' ? [] : compilePointer(text).tokens) {
      const value = compilePointer(child('', token)).read(location.schema)
      if (value === undefined) return undefined
      location = { document: location.document, pointer: child(location.pointer, token), schema: value }
      if (isObject(value)) resource = this.#bySchema.get(value) ?? resource
    }
    if (!isSchema(location.schema)) return undefined
    return { resource: this.of(location, resource), location }
  }

  #open(uri: string, draft: Draft, root: SchemaLocation): Resource {
    const resource = { uri, draft, root, anchors: new Map(), dynamicAnchors: new Map() }
    const other = this.#byUri.get(uri)
    if (other !== undefined && JSON.stringify(other.root.schema) !== JSON.stringify(root.schema))
      throw this.#duplicate(root, uri)
    if (other === undefined) this.#byUri.set(uri, resource)
    return other ?? resource
  }

  #identify(location: SchemaLocation, around: Resource): void {
    const { schema, pointer, document } = location
    if (!isObject(schema)) return
    if (this.#bySchema.has(schema)) return
    const resource = location === around.root ? around : this.#nameOf(location, schema, around)
    this.#bySchema.set(schema, resource)
    this.#anchor(location, schema, resource)
    for (const [value, at] of inner(schema, pointer, resource.draft))
      this.#identify({ document, pointer: at, schema: value }, resource)
  }

  #nameOf(location: SchemaLocation, schema: JsonSchema, around: Resource): Resource {
    const id = schema['$id']
    if (typeof id !== 'string' || (around.draft === '07' && typeof schema['$ref'] === 'string')) return around
    const uri = resolveUri(id, around.uri)
    const [address = '', fragment = ''] = uri === undefined ? [] : splitFragment(uri)
    // Draft 07 names locations so.
    if (uri === undefined || fragment !== '' || id.startsWith('#')) return around
    return this.#open(address, draftOf({ path: location.document.path, schema }) ?? around.draft, location)
  }

  #anchor(location: SchemaLocation, schema: JsonSchema, { anchors, dynamicAnchors, draft }: Resource): void {
    const { $id, $anchor, $dynamicAnchor } = schema
    if (draft === '07') {
      if (typeof $id === 'string' && /#./.test($id)) anchors.set($id.slice($id.indexOf('#') + 1), location)
      return
    }
    if (typeof $anchor === 'string') anchors.set($anchor, location)
    if (typeof $dynamicAnchor !== 'string') return
    anchors.set($dynamicAnchor, location)
    dynamicAnchors.set($dynamicAnchor, location)
  }
}

export function resolveUri(reference: string, base: string): string | undefined {
  try {
    return new URL(reference, base).href
  } catch {
    return undefined
  }
}

export function splitFragment(uri: string): [string, string] {
  const hash = uri.indexOf('#')
  return hash < 0 ? [uri, ''] : [uri.slice(0, hash), uri.slice(hash + 1)]
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return undefined
  }
}
