import { Decimal } from '../../../lib/json/decimal.js'
import { child } from '../../../lib/json/pointer.js'
import { compileEcmaRegex } from '../../../lib/regex.js'
import type { Slices } from '../../../lib/slices.js'
import type { JsonSchema } from './documents.js'
import { FORMATS } from './formats.js'
import type { Node, Pattern } from './node.js'
import { isObject, isSchema, type Resource, type Resources, type SchemaLocation } from './resources.js'

/** The errors for problems of a schema. */
export interface Faults {
  missing(location: SchemaLocation, reference: string, base: Resource): Error
  pattern(location: SchemaLocation, error: unknown): Error
}

/** Schemas that are linked in one go: some milliseconds, most of it for the patterns. */
const SLICE = 16

const LIMITS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const
const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const

/** Follows all references of a schema and brings it into the words of one draft. */
export class Linker {
  readonly #resources: Resources
  readonly #faults: Faults
  readonly #assertFormats: boolean
  readonly #nodes = new Map<unknown, Node>()
  readonly #patterns = new Map<string, Pattern>()
  readonly #open: { readonly node: Node; readonly schema: JsonSchema }[] = []

  constructor(resources: Resources, faults: Faults, assertFormats: boolean) {
    this.#resources = resources
    this.#faults = faults
    this.#assertFormats = assertFormats
  }

  /** With everything that it refers to. */
  *link(location: SchemaLocation, resource: Resource): Slices<Node> {
    const root = this.#node(location, resource)
    let linked = 0
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      this.#fill(next.node, next.schema)
      // Whichever resource turns out to be the outermost, its schema is there.
      if (next.node.dynamicRef !== undefined) this.#openTargets(next.node.dynamicRef.anchor)
      if (++linked % SLICE === 0) yield
    }
    return root
  }

  get patterns(): ReadonlyMap<string, Pattern> {
    return this.#patterns
  }

  /** The schema with a dynamic anchor, if the resource has one. */
  anchored(resource: Resource, anchor: string): Node | undefined {
    return this.#nodes.get(resource.dynamicAnchors.get(anchor)?.schema)
  }

  /** Every schema that has been reached. */
  get nodes(): Iterable<Node> {
    return this.#nodes.values()
  }

  /** Every schema with this dynamic anchor. */
  dynamicTargets(anchor: string): Node[] {
    const found = [...this.#resources.all()].map((resource) => this.anchored(resource, anchor))
    return found.filter((node) => node !== undefined)
  }

  #openTargets(anchor: string): void {
    for (const resource of this.#resources.all()) {
      const location = resource.dynamicAnchors.get(anchor)
      if (location !== undefined) this.#node(location, resource)
    }
  }

  #node(location: SchemaLocation, around: Resource): Node {
    const { schema } = location
    if (!isObject(schema)) return { location, resource: around, always: schema !== false }
    const existing = this.#nodes.get(schema)
    if (existing !== undefined) return existing
    const node: Node = { location, resource: this.#resources.of(location, around) }
    this.#nodes.set(schema, node)
    this.#open.push({ node, schema })
    return node
  }

  #fill(node: Node, schema: JsonSchema): void {
    const { resource } = node
    if (typeof schema['$ref'] === 'string') node.ref = this.#reference(node, schema['$ref'], '$ref')
    // Draft 07 ignores all siblings of a reference.
    if (resource.draft === '07' && node.ref !== undefined) return
    this.#values(node, schema)
    this.#objects(node, schema)
    this.#arrays(node, schema)
    this.#combinations(node, schema)
    if (resource.draft === '07') return
    const { $dynamicRef } = schema
    if (typeof $dynamicRef === 'string') node.dynamicRef = this.#dynamic(node, $dynamicRef)
    if (isSchema(schema['unevaluatedItems']))
      node.unevaluatedItems = this.#sub(node, schema, 'unevaluatedItems')
    if (isSchema(schema['unevaluatedProperties']))
      node.unevaluatedProperties = this.#sub(node, schema, 'unevaluatedProperties')
  }

  #values(node: Node, schema: JsonSchema): void {
    const { type, multipleOf, pattern, format, uniqueItems } = schema
    if (type !== undefined) node.types = [type].flat() as string[]
    if (Object.hasOwn(schema, 'const')) node.const = [schema['const']]
    if (Array.isArray(schema['enum'])) node.enum = schema['enum']
    for (const keyword of LIMITS) {
      const value = schema[keyword]
      if (isNumber(value)) node.limits = [...(node.limits ?? []), { keyword, value }]
    }
    if (isNumber(multipleOf)) node.multipleOf = multipleOf
    for (const keyword of COUNTS) {
      const value = schema[keyword]
      if (isNumber(value)) node.counts = [...(node.counts ?? []), { keyword, value: toNumber(value) }]
    }
    if (typeof pattern === 'string') node.pattern = this.#pattern(node, pattern, 'pattern')
    const test = typeof format === 'string' && this.#assertFormats ? FORMATS.get(format) : undefined
    if (test) node.format = { name: format as string, test }
    if (uniqueItems === true) node.uniqueItems = true
  }

  #objects(node: Node, schema: JsonSchema): void {
    const { required, properties, patternProperties, dependencies } = schema
    if (Array.isArray(required)) node.required = required as string[]
    if (isObject(properties)) node.properties = new Map(this.#map(node, schema, 'properties'))
    if (isObject(patternProperties)) {
      node.patternProperties = this.#map(node, schema, 'patternProperties').map(([text, inner]) => ({
        pattern: this.#pattern(node, text, 'patternProperties'),
        node: inner,
      }))
    }
    if (isSchema(schema['additionalProperties']))
      node.additionalProperties = this.#sub(node, schema, 'additionalProperties')
    if (isSchema(schema['propertyNames'])) node.propertyNames = this.#sub(node, schema, 'propertyNames')
    const is2020 = node.resource.draft === '2020-12'
    const names = [...entries(dependencies), ...(is2020 ? entries(schema['dependentRequired']) : [])]
    const lists = names.flatMap(([property, list]) =>
      Array.isArray(list) ? [{ property, names: list as string[] }] : [],
    )
    if (lists.length > 0) node.dependentRequired = lists
    const schemas = [
      ...this.#map(node, schema, 'dependencies'),
      ...(is2020 ? this.#map(node, schema, 'dependentSchemas') : []),
    ].map(([property, inner]) => ({ property, node: inner }))
    if (schemas.length > 0) node.dependentSchemas = schemas
  }

  #arrays(node: Node, schema: JsonSchema): void {
    const { items, minContains, maxContains } = schema
    const is2020 = node.resource.draft === '2020-12'
    const list = is2020 ? 'prefixItems' : 'items'
    if (Array.isArray(schema[list])) node.prefixItems = this.#list(node, schema, list)
    const rest = Array.isArray(items) && !is2020 ? 'additionalItems' : 'items'
    if (isSchema(schema[rest])) node.items = this.#sub(node, schema, rest)
    if (!isSchema(schema['contains'])) return
    node.contains = {
      node: this.#sub(node, schema, 'contains'),
      min: is2020 && isNumber(minContains) ? toNumber(minContains) : 1,
      max: is2020 && isNumber(maxContains) ? toNumber(maxContains) : Number.POSITIVE_INFINITY,
    }
  }

  #combinations(node: Node, schema: JsonSchema): void {
    for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
      if (Array.isArray(schema[name])) node[name] = this.#list(node, schema, name)
    }
    if (isSchema(schema['not'])) node.not = this.#sub(node, schema, 'not')
    if (!isSchema(schema['if'])) return
    node.if = {
      test: this.#sub(node, schema, 'if'),
      whenTrue: isSchema(schema['then']) ? this.#sub(node, schema, 'then') : undefined,
      whenFalse: isSchema(schema['else']) ? this.#sub(node, schema, 'else') : undefined,
    }
  }

  #sub({ location, resource }: Node, schema: JsonSchema, name: string): Node {
    return this.#node(
      { document: location.document, pointer: child(location.pointer, name), schema: schema[name] },
      resource,
    )
  }

  #list({ location, resource }: Node, schema: JsonSchema, name: string): Node[] {
    const at = child(location.pointer, name)
    return (schema[name] as unknown[]).map((item, index) =>
      this.#node({ document: location.document, pointer: child(at, index), schema: item }, resource),
    )
  }

  #map({ location, resource }: Node, schema: JsonSchema, name: string): [string, Node][] {
    const at = child(location.pointer, name)
    return entries(schema[name])
      .filter(([, item]) => isSchema(item))
      .map(([key, item]) => [
        key,
        this.#node({ document: location.document, pointer: child(at, key), schema: item }, resource),
      ])
  }

  #reference({ location, resource }: Node, reference: string, keyword: string): Node {
    const target = this.#resources.resolve(reference, resource)
    if (target === undefined)
      throw this.#faults.missing(
        { ...location, pointer: child(location.pointer, keyword) },
        reference,
        resource,
      )
    return this.#node(target.location, target.resource)
  }

  #dynamic(from: Node, reference: string): { anchor: string; node: Node } {
    const node = this.#reference(from, reference, '$dynamicRef')
    const anchor = reference.slice(reference.indexOf('#') + 1)
    const isDynamic = node.resource.dynamicAnchors.get(anchor)?.schema === node.location.schema
    return { anchor: reference.includes('#') && isDynamic ? anchor : '', node }
  }

  #pattern({ location }: Node, text: string, keyword: string): Pattern {
    const existing = this.#patterns.get(text)
    if (existing !== undefined) return existing
    try {
      const pattern = { regex: compileEcmaRegex(text), text }
      this.#patterns.set(text, pattern)
      return pattern
    } catch (error) {
      throw this.#faults.pattern({ ...location, pointer: child(location.pointer, keyword) }, error)
    }
  }
}

const entries = (map: unknown): [string, unknown][] => (isObject(map) ? Object.entries(map) : [])

const isNumber = (value: unknown): value is number | Decimal =>
  typeof value === 'number' || value instanceof Decimal

const toNumber = (value: number | Decimal): number => (typeof value === 'number' ? value : Number(value.text))
