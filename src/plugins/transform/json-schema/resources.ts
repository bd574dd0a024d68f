import { child, pointer as compilePointer } from '../../../lib/json/pointer.js'
import { type Document, type Draft, draftOf, type JsonSchema } from './documents.js'

/** A schema with a URI of its own: a file, or what has an "$id" in it. */
export interface Resource {
  readonly uri: string
  readonly draft: Draft
  readonly root: Place
  readonly anchors: Map<string, Place>
  readonly dynamicAnchors: Map<string, Place>
}

/** Where a schema stands, for messages. */
export interface Place {
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
  // Draft 07 ignores everything beside a reference, but definitions in it can be referred to.
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

/** What URIs stand for. A document is read when it is first referred to. */
export class Resources {
  readonly #byUri = new Map<string, Resource>()
  readonly #bySchema = new Map<JsonSchema, Resource>()
  readonly #load: (uri: string) => { document: Document; draft: Draft } | undefined
  readonly #duplicate: (place: Place, id: string) => Error

  constructor(
    load: (uri: string) => { document: Document; draft: Draft } | undefined,
    duplicate: (place: Place, id: string) => Error,
  ) {
    this.#load = load
    this.#duplicate = duplicate
  }

  /** `uri`: where it was found, if that is another place than it names itself. */
  add(document: Document, draft: Draft, uri = document.uri): Resource {
    const root = { document, pointer: '', schema: document.schema }
    const resource = this.#open(document.uri, draft, root)
    this.#byUri.set(uri, resource)
    this.#identify(root, resource)
    return resource
  }

  /** The resource that a schema belongs to; `around` for one that stands where no schema is looked for. */
  of(place: Place, around: Resource): Resource {
    if (!isObject(place.schema)) return around
    if (!this.#bySchema.has(place.schema)) this.#identify(place, around)
    return this.#bySchema.get(place.schema) ?? around
  }

  /** What a reference leads to. Undefined where there is no such resource, or no such place in it. */
  resolve(reference: string, base: Resource): { resource: Resource; place: Place } | undefined {
    const uri = resolveUri(reference, base.uri)
    if (uri === undefined) return undefined
    const [address = '', fragment = ''] = splitFragment(uri)
    const resource = this.find(address)
    if (resource === undefined) return undefined
    const text = decoded(fragment)
    if (text === undefined) return undefined
    if (text === '' || text.startsWith('/')) return this.#walk(resource, text)
    const place = resource.anchors.get(text)
    return place && { resource: this.of(place, resource), place }
  }

  find(address: string): Resource | undefined {
    const known = this.#byUri.get(address)
    if (known !== undefined) return known
    const loaded = this.#load(address)
    return loaded && this.add(loaded.document, loaded.draft, address)
  }

  all(): Iterable<Resource> {
    return this.#byUri.values()
  }

  /** Along a pointer: what is passed on the way may have a URI of its own. */
  #walk(from: Resource, text: string): { resource: Resource; place: Place } | undefined {
    let resource = from
    let place = from.root
    for (const token of text === '' ? [] : compilePointer(text).tokens) {
      const value = compilePointer(child('', token)).read(place.schema)
      if (value === undefined) return undefined
      place = { document: place.document, pointer: child(place.pointer, token), schema: value }
      if (isObject(value)) resource = this.#bySchema.get(value) ?? resource
    }
    if (!isSchema(place.schema)) return undefined
    return { resource: this.of(place, resource), place }
  }

  #open(uri: string, draft: Draft, root: Place): Resource {
    const resource = { uri, draft, root, anchors: new Map(), dynamicAnchors: new Map() }
    const other = this.#byUri.get(uri)
    if (other !== undefined && JSON.stringify(other.root.schema) !== JSON.stringify(root.schema))
      throw this.#duplicate(root, uri)
    if (other === undefined) this.#byUri.set(uri, resource)
    return other ?? resource
  }

  #identify(place: Place, around: Resource): void {
    const { schema, pointer, document } = place
    if (!isObject(schema)) return
    if (this.#bySchema.has(schema)) return
    const resource = place === around.root ? around : this.#nameOf(place, schema, around)
    this.#bySchema.set(schema, resource)
    this.#anchor(place, schema, resource)
    for (const [value, at] of inner(schema, pointer, resource.draft))
      this.#identify({ document, pointer: at, schema: value }, resource)
  }

  #nameOf(place: Place, schema: JsonSchema, around: Resource): Resource {
    const id = schema['$id']
    if (typeof id !== 'string' || (around.draft === '07' && typeof schema['$ref'] === 'string')) return around
    const uri = resolveUri(id, around.uri)
    const [address = '', fragment = ''] = uri === undefined ? [] : splitFragment(uri)
    // Draft 07 names places so.
    if (uri === undefined || fragment !== '' || id.startsWith('#')) return around
    return this.#open(address, draftOf({ path: place.document.path, schema }) ?? around.draft, place)
  }

  #anchor(place: Place, schema: JsonSchema, { anchors, dynamicAnchors, draft }: Resource): void {
    const { $id, $anchor, $dynamicAnchor } = schema
    if (draft === '07') {
      if (typeof $id === 'string' && /#./.test($id)) anchors.set($id.slice($id.indexOf('#') + 1), place)
      return
    }
    if (typeof $anchor === 'string') anchors.set($anchor, place)
    if (typeof $dynamicAnchor !== 'string') return
    anchors.set($dynamicAnchor, place)
    dynamicAnchors.set($dynamicAnchor, place)
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
