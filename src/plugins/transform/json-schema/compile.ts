import { HeadgateError, type Violation } from '../../../contract/errors.js'
import type { Files, JsonBody } from '../../../contract/index.js'
import type { Slices } from '../../../lib/slices.js'
import { type Document, type Draft, draftOf, findByUri, readMain } from './documents.js'
import { Evaluation } from './evaluate.js'
import { parseExact } from './exact-json.js'
import { badPattern, duplicateId, endless, fault, missingTarget } from './faults.js'
import { Generator } from './generate.js'
import { Linker } from './link.js'
import { metaSchema, metaSchemaOf } from './meta-schemas.js'
import { inPlace, type Node } from './node.js'
import { isRecursive } from './recursion.js'
import { Resources } from './resources.js'
import { Violations } from './violations.js'
import { Work } from './work.js'

/** A schema file with all that it refers to. */
export interface Linked {
  readonly root: Node
  readonly linker: Linker
  readonly main: Document
}

/** What is wrong with an event; nothing where it fits. Throws HG_SCHEMA_TOO_COSTLY. */
export type Validate = (body: Pick<JsonBody, 'bytes' | 'value'>) => Violation[]

/** Where a document is that no known one holds. */
export type Find = (uri: string, known: readonly [Document, ...Document[]]) => Document | undefined

/**
 * Reads a schema file with all that it refers to. Throws HG_CONFIG_UNREADABLE or HG_CONFIG_SCHEMA_FILE; if a schema
 * itself is not valid, `violations` of the error point into its file.
 */
export function linkSchema(files: Files, path: string, assertFormats: boolean): Linked {
  try {
    return link(readMain(files, path), (uri, known) => findByUri(files, uri, known), assertFormats)
  } catch (error) {
    // A schema that is too deep for a recursive walk is none that a person wrote.
    if (error instanceof RangeError) throw fault(`The schema file ${path} is nested too deeply`)
    throw error
  }
}

export function link(main: Document, find: Find, assertFormats: boolean): Linked {
  const draft = draftOf(main) ?? '2020-12'
  const documents: [Document, ...Document[]] = [main]
  const resources = new Resources((uri) => {
    const own = metaSchema(uri)
    if (own !== undefined) return { document: own, draft: own.draft }
    const document = find(uri, documents)
    if (document === undefined) return undefined
    documents.push(document)
    return { document, draft: checked(document, draft) }
  }, duplicateId)
  const root = resources.add(main, checked(main, draft))
  const linker = new Linker(
    resources,
    {
      missing: (place, reference, base) => missingTarget(place, reference, base, resources, main),
      pattern: (place, error) => badPattern(place, error) as Error,
    },
    assertFormats,
  )
  const linked = { root: linker.link(root.root, root), linker, main }
  refuseEndless(linked)
  return linked
}

/** Generates the code that checks events. Functions are generated one by one: thousands take seconds. */
export function* validator({ root, linker }: Linked): Slices<Validate> {
  const work = new Work()
  const evaluation = new Evaluation(work, (resource, anchor) => linker.anchored(resource, anchor))
  const nodes = [...linker.nodes]
  // The scope that a dynamic reference depends on begins at the root.
  const isDynamic = nodes.some(({ dynamicRef }) => dynamicRef !== undefined)
  const fits = isDynamic
    ? (value: unknown) => evaluation.fits(root, value)
    : yield* new Generator(
        work,
        evaluation,
        linker.patterns,
        isRecursive(nodes, (anchor) => linker.dynamicTargets(anchor)),
      ).function(root)
  const comparesNumbers = nodes.some(isAboutNumbers)
  return ({ bytes, value }) => {
    const exact = comparesNumbers ? parseExact(bytes) : undefined
    try {
      work.begin(bytes.length)
      if (exact === undefined ? fits(value) : evaluation.fits(root, exact)) return []
    } catch (error) {
      if (error instanceof RangeError) work.end()
      throw error
    }
    work.beginReport(bytes.length)
    return reasons(evaluation, root, exact ?? value)
  }
}

/** Everything that is wrong with an event that does not fit, as far as it can be found at little cost. */
function reasons(evaluation: Evaluation, root: Node, value: unknown): Violation[] {
  const violations = new Violations()
  try {
    if (evaluation.fits(root, value, violations)) return []
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof HeadgateError)) throw error
    violations.isCutShort = true
  }
  return violations.list()
}

/** Whether it matters to a schema which of two numbers it is that are one double. */
const isAboutNumbers = (node: Node): boolean =>
  node.const !== undefined ||
  node.enum !== undefined ||
  node.limits !== undefined ||
  node.multipleOf !== undefined ||
  node.uniqueItems === true ||
  node.types?.includes('integer') === true

/** The draft of a document that is valid in it. */
function checked(document: Document, otherwise: Draft): Draft {
  const draft = draftOf(document) ?? otherwise
  const violations = new Violations()
  if (metaSchemaChecker(draft)(document.schema, violations)) return draft
  throw new HeadgateError(
    'HG_CONFIG_SCHEMA_FILE',
    `The schema file ${document.path} is not a valid JSON Schema.`,
    { violations: firstOfEachPlace(violations.list()) },
  )
}

const checkers = new Map<Draft, (schema: unknown, violations: Violations) => boolean>()

function metaSchemaChecker(draft: Draft): (schema: unknown, violations: Violations) => boolean {
  const known = checkers.get(draft)
  if (known !== undefined) return known
  const resources = new Resources((uri) => {
    const document = metaSchema(uri)
    return document && { document, draft: document.draft }
  }, duplicateId)
  const resource = resources.add(metaSchemaOf(draft), draft)
  const faults = { missing: (): Error => new Error(), pattern: (): Error => new Error() }
  const linker = new Linker(resources, faults, false)
  const root = linker.link(resource.root, resource)
  const work = new Work()
  work.left = Number.POSITIVE_INFINITY
  const evaluation = new Evaluation(work, (at, anchor) => linker.anchored(at, anchor))
  const checker = (schema: unknown, violations: Violations) => evaluation.fits(root, schema, violations)
  checkers.set(draft, checker)
  return checker
}

/** The alternatives of one place repeat each other. */
const firstOfEachPlace = (all: readonly Violation[]): Violation[] =>
  all.filter(({ pointer }, index) => all.findIndex((other) => other.pointer === pointer) === index)

function refuseEndless({ linker }: Linked): void {
  const done = new Set<Node>()
  const open = new Set<Node>()
  const targets = (anchor: string) => linker.dynamicTargets(anchor)
  const visit = (node: Node): void => {
    if (done.has(node)) return
    if (open.has(node)) throw endless(node.place)
    open.add(node)
    for (const next of inPlace(node, targets)) visit(next)
    open.delete(node)
    done.add(node)
  }
  for (const node of [...linker.nodes]) visit(node)
}
