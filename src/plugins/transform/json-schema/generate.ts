import { _, Ajv, type CodeKeywordDefinition, type KeywordCxt, type Options, type SchemaObject } from 'ajv'
import { Decimal } from '../../../lib/json/decimal.js'
import type { Slices } from '../../../lib/slices.js'
import {
  equalItems,
  hasCount,
  hasFormat,
  isMultiple,
  isOneOf,
  isWithin,
  kindOf,
  matches,
} from './assertions.js'
import type { Evaluation } from './evaluate.js'
import { below, inPlace, type Node, type Pattern } from './node.js'
import type { Work } from './work.js'

type Check = (value: unknown) => boolean

/** A function that ajv has yet to generate: schemas call each other in circles. */
interface Callee {
  validate?: Check
}

/** Longer lists are looked up in a set: ajv compares one after the other. */
const FEW = 16
/** To list a member, in steps. */
const MEMBER = 5
/** Schemas in one function: ajv takes 0.1 to 0.3 ms for each, in one go, and recurses for each member of an object. */
const MOST_INLINED = 100
/** Schemas directly in one that is left to ajv. */
const MOST_CHILDREN = 500

/** "step": counts the work of a schema, nested ones in the same function included. */
const step = (work: Work): CodeKeywordDefinition => ({
  keyword: 'step',
  before: '$ref',
  code({ gen, schema, it }: KeywordCxt) {
    // The errors are not read: Evaluation finds the violations of an event.
    Object.assign(it, { createErrors: false })
    const counter = gen.scopeValue('keyword', { ref: work })
    gen.if(_`(${counter}.left -= ${schema as number}) < 0`, () => gen.code(_`${counter}.end()`))
  },
})

/** "check": plain functions for keywords that ajv gets wrong, or decides in more than linear time. */
const check: CodeKeywordDefinition = {
  keyword: 'check',
  code(cxt: KeywordCxt) {
    for (const ref of cxt.schema as Check[])
      cxt.pass(_`${cxt.gen.scopeValue('keyword', { ref })}(${cxt.data})`)
  },
}

/** "call": a reference. Ajv would collect the errors of all callees, and resolve URIs in ways of its own. */
const call: CodeKeywordDefinition = {
  keyword: 'call',
  code(cxt: KeywordCxt) {
    const callee = cxt.gen.scopeValue('keyword', { ref: cxt.schema as Callee })
    cxt.pass(_`${callee}.validate(${cxt.data})`)
  },
}

const OPTIONS: Options = {
  strict: false,
  validateSchema: false,
  addUsedSchema: false,
  messages: false,
  meta: false,
  // Without it, `required: ["constructor"]` would be met by every object.
  ownProperties: true,
  logger: false,
}

/**
 * Generates code for a schema, by ajv. It gets references as calls of functions, and everything that it is known to decide
 * wrong as a check of our own.
 */
export class Generator {
  readonly #ajv: Ajv
  readonly #work: Work
  readonly #evaluation: Evaluation
  readonly #callees = new Map<Node, Callee>()
  readonly #open: Node[] = []
  readonly #isRecursive: boolean
  #weight = 0
  /** Schemas in the function that is being generated. */
  #inlined = 0

  /** `isRecursive`: only then the members of one object may be counted up more often than the schema is long. */
  constructor(
    work: Work,
    evaluation: Evaluation,
    patterns: ReadonlyMap<string, Pattern>,
    isRecursive: boolean,
  ) {
    this.#isRecursive = isRecursive
    this.#work = work
    this.#evaluation = evaluation
    const regExp = (text: string) => {
      const pattern = patterns.get(text) as Pattern
      return { test: (value: string) => matches(pattern, value, work), toString: () => text }
    }
    // As in 2020-12: "contains" heeds its limits.
    const options: Options & { next: true } = {
      ...OPTIONS,
      next: true,
      code: { regExp: Object.assign(regExp, { code: 'regExp' }) },
    }
    this.#ajv = new Ajv(options)
    for (const keyword of [step(work), check, call]) this.#ajv.addKeyword(keyword)
  }

  *function(root: Node): Slices<Check> {
    const callee = this.#callee(root)
    for (let node = this.#open.pop(); node !== undefined; node = this.#open.pop()) {
      this.#inlined = 0
      this.#callee(node).validate = this.#ajv.compile(this.#counted(node)) as Check
      yield
    }
    return (value) => (callee.validate as Check)(value)
  }

  #callee(node: Node): Callee {
    const existing = this.#callees.get(node)
    if (existing !== undefined) return existing
    const callee: Callee = {}
    this.#callees.set(node, callee)
    this.#open.push(node)
    return callee
  }

  /** For the body of a function or of a loop. */
  #counted(node: Node): SchemaObject | boolean {
    const outer = this.#weight
    this.#weight = 0
    const schema = this.#schema(node)
    const weight = this.#weight
    this.#weight = outer
    return typeof schema === 'boolean' ? schema : { step: weight, ...schema }
  }

  #schema(node: Node): SchemaObject | boolean {
    if (node.always !== undefined) return node.always
    const children = below(node).length + inPlace(node, () => []).length
    if (this.#inlined >= (children === 0 ? MOST_CHILDREN : MOST_INLINED)) return { call: this.#callee(node) }
    this.#inlined++
    this.#weight += 1 + weightOf(node)
    if (children > MOST_CHILDREN || isBeyondAjv(node))
      return { check: [(value: unknown) => this.#evaluation.fits(node, value)] }
    const checks = this.#checks(node)
    return {
      ...(node.types ? { type: [...node.types] } : {}),
      ...this.#values(node),
      ...this.#objects(node),
      ...this.#arrays(node),
      ...this.#combinations(node),
      ...(node.ref ? { call: this.#callee(node.ref) } : {}),
      ...(checks.length > 0 ? { check: checks } : {}),
    }
  }

  #values(node: Node): SchemaObject {
    const schema: SchemaObject = {}
    for (const { keyword, value } of node.limits ?? [])
      if (!(value instanceof Decimal)) schema[keyword] = value
    for (const { keyword, value } of node.counts ?? []) if (keyword.endsWith('Items')) schema[keyword] = value
    if (node.enum && isPlain(node.enum)) schema['enum'] = node.enum
    if (node.const && isPlain(node.const)) schema['const'] = node.const[0]
    if (node.pattern) schema['pattern'] = node.pattern.text
    if (node.required) schema['required'] = node.required
    return schema
  }

  #checks(node: Node): Check[] {
    const checks: Check[] = []
    const work = this.#work
    for (const list of [node.enum, node.const]) {
      if (list && !isPlain(list)) checks.push((value) => isOneOf(list, value, work))
    }
    for (const { keyword, value: limit } of node.limits ?? []) {
      if (limit instanceof Decimal)
        checks.push((value) => typeof value !== 'number' || isWithin(keyword, value, limit, work))
    }
    for (const { keyword, value: limit } of node.counts ?? []) {
      // Most texts are short enough, or long enough, by their units alone.
      if (keyword === 'minLength')
        checks.push(
          (value) =>
            typeof value !== 'string' ||
            value.length >= 2 * limit ||
            hasCount(keyword, limit, value, 'string', work),
        )
      else if (keyword === 'maxLength')
        checks.push(
          (value) =>
            typeof value !== 'string' ||
            value.length <= limit ||
            hasCount(keyword, limit, value, 'string', work),
        )
      else if (!keyword.endsWith('Items'))
        checks.push((value) => hasCount(keyword, limit, value, kindOf(value), work))
    }
    const { multipleOf, format } = node
    if (multipleOf !== undefined)
      checks.push((value) => typeof value !== 'number' || isMultiple(value, multipleOf, work))
    if (format) checks.push((value) => typeof value !== 'string' || hasFormat(format, value, work))
    if (node.uniqueItems)
      checks.push((value) => !Array.isArray(value) || equalItems(value, work) === undefined)
    if (this.#isRecursive && (node.additionalProperties || node.patternProperties || node.propertyNames))
      checks.push((value) => {
        if (kindOf(value) === 'object') work.spend(Object.keys(value as object).length * MEMBER)
        return true
      })
    return checks
  }

  #objects(node: Node): SchemaObject {
    const schema: SchemaObject = {}
    if (node.properties) {
      // The first violation ends the search: constants that tell alternatives apart come before references.
      schema['properties'] = this.#map(
        [...node.properties].sort(([, a], [, b]) => Number(leadsOn(a)) - Number(leadsOn(b))),
        (inner) => this.#schema(inner),
      )
    }
    if (node.patternProperties) {
      const members = node.patternProperties.map(({ pattern, node: inner }) => [pattern.text, inner] as const)
      schema['patternProperties'] = this.#map(members, (inner) => this.#counted(inner))
    }
    if (node.additionalProperties) schema['additionalProperties'] = this.#counted(node.additionalProperties)
    if (node.propertyNames) schema['propertyNames'] = this.#counted(node.propertyNames)
    return schema
  }

  #arrays(node: Node): SchemaObject {
    const schema: SchemaObject = {}
    if (node.items && !node.prefixItems) schema['items'] = this.#counted(node.items)
    if (node.contains) {
      schema['contains'] = this.#counted(node.contains.node)
      schema['minContains'] = node.contains.min
      if (node.contains.max !== Number.POSITIVE_INFINITY) schema['maxContains'] = node.contains.max
    }
    return schema
  }

  #combinations(node: Node): SchemaObject {
    const schema: SchemaObject = {}
    const all = (node.allOf ?? []).map((inner) => this.#schema(inner))
    if (node.prefixItems) {
      // Apart from all other keywords: if an array is shorter than the list, ajv skips those that follow.
      const items = node.prefixItems.map((inner) => this.#schema(inner))
      all.push({ items, ...(node.items ? { additionalItems: this.#counted(node.items) } : {}) })
    }
    for (const { property, names } of node.dependentRequired ?? [])
      all.push({ dependencies: { [property]: names } })
    for (const { property, node: inner } of node.dependentSchemas ?? [])
      all.push({ dependencies: { [property]: this.#schema(inner) } })
    if (all.length > 0) schema['allOf'] = all
    if (node.anyOf) schema['anyOf'] = node.anyOf.map((inner) => this.#schema(inner))
    if (node.oneOf) schema['oneOf'] = node.oneOf.map((inner) => this.#schema(inner))
    if (node.not) schema['not'] = this.#schema(node.not)
    if (node.if && (node.if.whenTrue || node.if.whenFalse)) {
      schema['if'] = this.#schema(node.if.test)
      if (node.if.whenTrue) schema['then'] = this.#schema(node.if.whenTrue)
      if (node.if.whenFalse) schema['else'] = this.#schema(node.if.whenFalse)
    }
    return schema
  }

  #map(members: readonly (readonly [string, Node])[], schema: (node: Node) => SchemaObject | boolean) {
    return Object.fromEntries(members.map(([name, node]) => [name, schema(node)]))
  }
}

/** Whether it looks at anything below the value itself, or at another schema. */
const leadsOn = (node: Node): boolean => below(node).length > 0 || inPlace(node, () => []).length > 0

/** Everything that is looked at one after the other in one piece. */
const weightOf = ({ required, dependentRequired, enum: list }: Node): number =>
  ((required?.length ?? 0) +
    Math.min(list?.length ?? 0, FEW) +
    (dependentRequired?.reduce((sum, { names }) => sum + names.length, 0) ?? 0)) /
  4

/**
 * Ajv keeps the evaluated items as a number, loses track of those that conditions evaluate, and skips a member with
 * the name __proto__.
 */
function isBeyondAjv(node: Node): boolean {
  if (node.unevaluatedItems || node.unevaluatedProperties || node.dynamicRef) return true
  const names = [
    ...(node.required ?? []),
    ...(node.properties?.keys() ?? []),
    ...(node.patternProperties ?? []).map(({ pattern }) => pattern.text),
    ...(node.dependentRequired ?? []).flatMap(({ property, names }) => [property, ...names]),
    ...(node.dependentSchemas ?? []).map(({ property }) => property),
  ]
  return names.includes('__proto__')
}

const isPlain = (list: readonly unknown[]): boolean =>
  list.length > 0 && list.length <= FEW && list.every((value) => typeof value !== 'object' || value === null)
