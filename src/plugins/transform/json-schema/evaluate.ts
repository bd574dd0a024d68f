import { isAsserted, kindOf, matches } from './assertions.js'
import type { Node } from './node.js'
import type { Resource } from './resources.js'
import { type Path, Violations } from './violations.js'
import type { Work } from './work.js'

/** The resources that references have led through, the innermost first. */
interface Scope {
  readonly up: Scope | undefined
  readonly resource: Resource
}

/** One schema and one value, in steps of the code that ajv generates. */
const CHECK = 8
/** To list a member, and to look it up. */
const MEMBER = 5

interface Members {
  readonly [name: string]: unknown
}

/** The members and items that some schema has evaluated, for "unevaluatedProperties" and "unevaluatedItems". */
class Evaluated {
  readonly names = new Set<string>()
  readonly indexes = new Set<number>()
  /** All items before this one. */
  upTo = 0

  add(other: Evaluated): void {
    for (const name of other.names) this.names.add(name)
    for (const index of other.indexes) this.indexes.add(index)
    this.upTo = Math.max(this.upTo, other.upTo)
  }
}

/** The location of a value, and the results that are collected. */
interface Context {
  readonly path: Path | undefined
  readonly scope: Scope | undefined
  /** Undefined if no schema asks for it. */
  readonly evaluated: Evaluated | undefined
  /** Undefined if the first violation is enough. */
  readonly violations: Violations | undefined
}

/**
 * Checks a value against a schema, exactly as the drafts say and to every digit of its numbers, and finds all
 * violations. The code that ajv generates is far faster and decides on the usual event; this decides the cases that
 * ajv gets wrong, and explains.
 */
export class Evaluation {
  readonly #work: Work
  /** The schema with a dynamic anchor in a resource. */
  readonly #anchored: (resource: Resource, anchor: string) => Node | undefined

  constructor(work: Work, anchored: (resource: Resource, anchor: string) => Node | undefined) {
    this.#work = work
    this.#anchored = anchored
  }

  fits(node: Node, value: unknown, violations?: Violations): boolean {
    return this.#check(node, value, { path: undefined, scope: undefined, evaluated: undefined, violations })
  }

  #check(node: Node, value: unknown, around: Context): boolean {
    this.#work.spend(CHECK)
    const { violations, path } = around
    if (node.always !== undefined) {
      if (!node.always) violations?.add(path, 'is not allowed')
      return node.always
    }
    const kind = kindOf(value)
    const complain = violations && ((message: () => string) => violations.add(path, message))
    let fits = isAsserted(node, value, kind, this.#work, complain)
    if (!fits && violations === undefined) return false
    const isWatched = node.unevaluatedItems !== undefined || node.unevaluatedProperties !== undefined
    const evaluated = isWatched ? new Evaluated() : around.evaluated
    const scope =
      around.scope?.resource === node.resource ? around.scope : { up: around.scope, resource: node.resource }
    const here: Context = { path, scope, evaluated, violations }
    if (kind === 'object') fits = this.#members(node, value as Members, here) && fits
    else if (kind === 'array') fits = this.#items(node, value as unknown[], here) && fits
    if (!fits && violations === undefined) return false
    fits = this.#combined(node, value, here) && fits
    // After a failure nothing counts as evaluated, so that everything would be reported once more.
    if (isWatched && fits && evaluated !== undefined) {
      fits = this.#unevaluated(node, value, kind, here, evaluated)
      around.evaluated?.add(evaluated)
    }
    return fits
  }

  #combined(node: Node, value: unknown, here: Context): boolean {
    const { ref, dynamicRef, allOf, anyOf, oneOf, not, if: condition } = node
    const isFirstEnough = here.violations === undefined
    let fits = ref === undefined || this.#check(ref, value, here)
    if (!fits && isFirstEnough) return false
    if (dynamicRef) fits = this.#check(this.#outermost(dynamicRef, here.scope), value, here) && fits
    for (const inner of allOf ?? []) {
      if (!fits && isFirstEnough) return false
      fits = this.#apart(inner, value, here) && fits
    }
    if (anyOf && (fits || !isFirstEnough)) fits = this.#any(anyOf, value, here) && fits
    if (oneOf && (fits || !isFirstEnough)) fits = this.#one(oneOf, value, here) && fits
    if (not && (fits || !isFirstEnough)) fits = this.#none(not, value, here) && fits
    if (condition && (fits || !isFirstEnough)) fits = this.#conditional(condition, value, here) && fits
    return fits
  }

  #members(node: Node, value: Members, here: Context): boolean {
    const isFirstEnough = here.violations === undefined
    const { required, dependentRequired, dependentSchemas, propertyNames } = node
    let fits = true
    if (required) {
      this.#work.spend(required.length)
      for (const name of required) {
        if (Object.hasOwn(value, name)) continue
        fits = this.#wrong(here, 'is required', name)
        if (isFirstEnough) return false
      }
    }
    for (const { property, names } of dependentRequired ?? []) {
      if (!Object.hasOwn(value, property)) continue
      this.#work.spend(names.length)
      for (const name of names) {
        if (Object.hasOwn(value, name)) continue
        fits = this.#wrong(here, `is required where ${JSON.stringify(property)} is present`, name)
      }
    }
    for (const { property, node: inner } of dependentSchemas ?? []) {
      if (Object.hasOwn(value, property)) fits = this.#apart(inner, value, here) && fits
    }
    if (!fits && isFirstEnough) return false
    if (propertyNames) fits = this.#names(propertyNames, value, here) && fits
    if (!fits && isFirstEnough) return false
    return this.#values(node, value, here) && fits
  }

  #values(node: Node, value: Members, here: Context): boolean {
    const { properties, patternProperties, additionalProperties } = node
    if (!properties && !patternProperties && !additionalProperties) return true
    let fits = true
    const names = Object.keys(value)
    this.#work.spend(names.length * MEMBER)
    for (const name of names) {
      let isKnown = false
      const named = properties?.get(name)
      if (named !== undefined) {
        isKnown = true
        fits = this.#below(named, value[name], name, here) && fits
      }
      for (const { pattern, node: inner } of patternProperties ?? []) {
        if (!matches(pattern, name, this.#work)) continue
        isKnown = true
        fits = this.#below(inner, value[name], name, here) && fits
      }
      if (!isKnown && additionalProperties) {
        isKnown = true
        fits = this.#below(additionalProperties, value[name], name, here) && fits
      }
      if (!fits && here.violations === undefined) return false
      if (isKnown) here.evaluated?.names.add(name)
    }
    return fits
  }

  #names(node: Node, value: Members, here: Context): boolean {
    let fits = true
    const names = Object.keys(value)
    this.#work.spend(names.length * MEMBER)
    for (const name of names) {
      const found = here.violations && new Violations()
      const path = { up: here.path, token: name }
      if (this.#check(node, name, { ...here, path, evaluated: undefined, violations: found })) continue
      fits = this.#wrong(here, 'has a name that is not allowed', name)
      if (here.violations === undefined) return false
      for (const { message } of found?.list() ?? []) {
        if (message !== 'is not allowed') here.violations.add(path, `has a name that ${message}`)
      }
    }
    return fits
  }

  #items(node: Node, value: readonly unknown[], here: Context): boolean {
    const { prefixItems = [], items, contains } = node
    const isFirstEnough = here.violations === undefined
    const listed = Math.min(prefixItems.length, value.length)
    let fits = true
    for (let index = 0; index < listed; index++) {
      fits = this.#below(prefixItems[index] as Node, value[index], index, here) && fits
      if (!fits && isFirstEnough) return false
    }
    if (items?.always === false) {
      if (value.length > listed) fits = this.#wrong(here, `must not have more than ${listed} items`)
    } else if (items && items.always !== true) {
      for (let index = listed; index < value.length; index++) {
        fits = this.#below(items, value[index], index, here) && fits
        if (!fits && isFirstEnough) return false
      }
    }
    if (here.evaluated) here.evaluated.upTo = Math.max(here.evaluated.upTo, items ? value.length : listed)
    if (contains && (fits || !isFirstEnough)) fits = this.#contains(contains, value, here) && fits
    return fits
  }

  #contains(
    { node, min, max }: NonNullable<Node['contains']>,
    value: readonly unknown[],
    here: Context,
  ): boolean {
    let count = 0
    for (const [index, item] of value.entries()) {
      if (!this.#check(node, item, { ...here, evaluated: undefined, violations: undefined })) continue
      count++
      here.evaluated?.indexes.add(index)
      if (here.evaluated === undefined && count >= min && max === Number.POSITIVE_INFINITY) break
    }
    if (count >= min && count <= max) return true
    const atMost = max === Number.POSITIVE_INFINITY ? '' : ` and no more than ${max}`
    return this.#wrong(here, `must contain at least ${min}${atMost} valid item(s)`)
  }

  #any(nodes: readonly Node[], value: unknown, here: Context): boolean {
    const before = here.violations?.count ?? 0
    let fits = false
    for (const node of nodes) {
      if (!this.#apart(node, value, here)) continue
      fits = true
      if (here.evaluated === undefined) break
    }
    if (!fits) return this.#wrong(here, 'must match a schema in anyOf')
    here.violations?.forgetFrom(before)
    return true
  }

  #one(nodes: readonly Node[], value: unknown, here: Context): boolean {
    const before = here.violations?.count ?? 0
    let fitting = 0
    for (const node of nodes) {
      if (this.#apart(node, value, here) && ++fitting > 1) break
    }
    if (fitting > 0) here.violations?.forgetFrom(before)
    return fitting === 1 || this.#wrong(here, 'must match exactly one schema in oneOf')
  }

  #none(node: Node, value: unknown, here: Context): boolean {
    if (!this.#check(node, value, { ...here, evaluated: undefined, violations: undefined })) return true
    return this.#wrong(here, 'must not be valid')
  }

  #conditional(condition: NonNullable<Node['if']>, value: unknown, here: Context): boolean {
    const branch = this.#apart(condition.test, value, { ...here, violations: undefined })
      ? condition.whenTrue
      : condition.whenFalse
    return branch === undefined || this.#apart(branch, value, here)
  }

  /** Members that it has evaluated count only if it fits. */
  #apart(node: Node, value: unknown, here: Context): boolean {
    if (here.evaluated === undefined) return this.#check(node, value, here)
    const evaluated = new Evaluated()
    const fits = this.#check(node, value, { ...here, evaluated })
    if (fits) {
      this.#work.spend((evaluated.names.size + evaluated.indexes.size) * MEMBER)
      here.evaluated.add(evaluated)
    }
    return fits
  }

  #below(node: Node, value: unknown, token: string | number, here: Context): boolean {
    return this.#check(node, value, { ...here, path: { up: here.path, token }, evaluated: undefined })
  }

  #unevaluated(node: Node, value: unknown, kind: string, here: Context, evaluated: Evaluated): boolean {
    let fits = true
    if (kind === 'object' && node.unevaluatedProperties) {
      const names = Object.keys(value as Members)
      this.#work.spend(names.length * MEMBER)
      for (const name of names) {
        if (evaluated.names.has(name)) continue
        evaluated.names.add(name)
        if (!this.#below(node.unevaluatedProperties, (value as Members)[name], name, here)) fits = false
        if (!fits && here.violations === undefined) return false
      }
    }
    if (kind === 'array' && node.unevaluatedItems) {
      const items = value as unknown[]
      for (let index = evaluated.upTo; index < items.length; index++) {
        if (evaluated.indexes.has(index)) continue
        if (!this.#below(node.unevaluatedItems, items[index], index, here)) fits = false
        if (!fits && here.violations === undefined) return false
      }
      evaluated.upTo = items.length
    }
    return fits
  }

  #outermost({ anchor, node }: NonNullable<Node['dynamicRef']>, scope: Scope | undefined): Node {
    let found = node
    if (anchor === '') return found
    for (let at = scope; at !== undefined; at = at.up) found = this.#anchored(at.resource, anchor) ?? found
    return found
  }

  #wrong({ violations, path }: Context, message: string, token?: string): false {
    violations?.add(path, message, token)
    return false
  }
}
