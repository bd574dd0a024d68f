import { HeadgateError, type Violation } from '../../../contract/errors.js'
import type { Files, JsonBody } from '../../../contract/index.js'
import { parseExact } from '../../../lib/json/exact-numbers.js'
import { atOnce, type Slices } from '../../../lib/slices.js'
import {
  type Document,
  type Draft,
  draftOf,
  findByUri,
  metaSchema,
  metaSchemaOf,
  readMain,
} from './documents.js'
import { Evaluation } from './evaluate.js'
import { Generator } from './generate.js'
import { Linker } from './link.js'
import { inPlace, type Node } from './node.js'
import { isRecursive } from './recursion.js'
import { type Resource, Resources, resolveUri, type SchemaLocation, splitFragment } from './resources.js'
import type { Settings } from './settings.js'
import { Violations } from './violations.js'
import { Work } from './work.js'

/** A schema file with all that it refers to. */
export interface Linked {
  readonly root: Node
  readonly linker: Linker
  readonly main: Document
}

/** The violations of an event; none if it fits. Throws HG_SCHEMA_TOO_COSTLY. */
export type Validate = (body: Pick<JsonBody, 'bytes' | 'value'>) => Violation[]

/** Finds a document that is not among `documents`. */
export type Find = (uri: string, documents: readonly [Document, ...Document[]]) => Document | undefined

/**
 * Reads a schema file with all that it refers to. Throws HG_CONFIG_UNREADABLE or HG_CONFIG_SCHEMA_FILE; if a schema
 * itself is not valid, `violations` of the error point into its file.
 */
export const linkSettings = (settings: Settings, files: Files): Linked =>
  atOnce(linkInSlices(settings, files, false))

/** `isChecked`: a process has linked these files before, so that they are known to be valid. */
function* linkInSlices(
  { schema: path, formats }: Settings,
  files: Files,
  isChecked: boolean,
): Slices<Linked> {
  try {
    const find: Find = (uri, documents) => findByUri(files, uri, documents)
    return yield* link(readMain(files, path), find, formats === 'assert', isChecked)
  } catch (error) {
    // No person writes a schema that is too deep for a recursive walk.
    if (error instanceof RangeError) throw fault(`The schema file ${path} is nested too deeply`)
    throw error
  }
}

/** The schemas that the check of a config has linked in this process, for the stage with the same settings. */
const checkedSchemas = new WeakMap<Settings, Linked>()

/** The schema of settings in which a check has found no problem, in this process or in another one. */
export function* checkedSchema(settings: Settings, files: Files): Slices<Linked> {
  return checkedSchemas.get(settings) ?? (yield* linkInSlices(settings, files, true))
}

/** Throws as `linkSettings` does. */
export function checkSchema(settings: Settings, files: Files): void {
  checkedSchemas.set(settings, linkSettings(settings, files))
}

export function* link(main: Document, find: Find, assertFormats: boolean, isChecked = false): Slices<Linked> {
  const draftIn = (document: Document, otherwise: Draft) =>
    isChecked ? (draftOf(document) ?? otherwise) : checked(document, otherwise)
  const draft = draftOf(main) ?? '2020-12'
  const documents: [Document, ...Document[]] = [main]
  const resources = new Resources((uri) => {
    const own = metaSchema(uri)
    if (own !== undefined) return { document: own, draft: own.draft }
    const document = find(uri, documents)
    if (document === undefined) return undefined
    documents.push(document)
    return { document, draft: draftIn(document, draft) }
  }, duplicateId)
  const root = resources.add(main, draftIn(main, draft))
  const linker = new Linker(
    resources,
    {
      missing: (location, reference, base) => missingTarget(location, reference, base, resources, main),
      pattern: (location, error) => badPattern(location, error) as Error,
    },
    assertFormats,
  )
  const linked = { root: yield* linker.link(root.root, root), linker, main }
  if (!isChecked) refuseEndless(linked)
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

/** All violations of an event that does not fit, as far as they can be found at little cost. */
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

/** Whether the schema tells apart numbers that are one double. */
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
    { violations: firstOfEachPointer(violations.list()) },
  )
}

const checkers = new Map<Draft, (schema: unknown, violations: Violations) => boolean>()

function metaSchemaChecker(draft: Draft): (schema: unknown, violations: Violations) => boolean {
  const existing = checkers.get(draft)
  if (existing !== undefined) return existing
  const resources = new Resources((uri) => {
    const document = metaSchema(uri)
    return document && { document, draft: document.draft }
  }, duplicateId)
  const resource = resources.add(metaSchemaOf(draft), draft)
  const faults = { missing: (): Error => new Error(), pattern: (): Error => new Error() }
  const linker = new Linker(resources, faults, false)
  const root = atOnce(linker.link(resource.root, resource))
  const work = new Work()
  work.left = Number.POSITIVE_INFINITY
  const evaluation = new Evaluation(work, (at, anchor) => linker.anchored(at, anchor))
  const checker = (schema: unknown, violations: Violations) => evaluation.fits(root, schema, violations)
  checkers.set(draft, checker)
  return checker
}

/** The alternatives at one pointer repeat each other. */
const firstOfEachPointer = (all: readonly Violation[]): Violation[] =>
  all.filter(({ pointer }, index) => all.findIndex((other) => other.pointer === pointer) === index)

function refuseEndless({ linker }: Linked): void {
  const done = new Set<Node>()
  const open = new Set<Node>()
  const targets = (anchor: string) => linker.dynamicTargets(anchor)
  const visit = (node: Node): void => {
    if (done.has(node)) return
    if (open.has(node)) throw endless(node.location)
    open.add(node)
    for (const next of inPlace(node, targets)) visit(next)
    open.delete(node)
    done.add(node)
  }
  for (const node of [...linker.nodes]) visit(node)
}

export const fault = (message: string): HeadgateError =>
  new HeadgateError('HG_CONFIG_SCHEMA_FILE', `${message}.`)

const at = ({ document, pointer }: SchemaLocation): string =>
  `The schema file ${document.path}${pointer === '' ? '' : ` at ${pointer}`}`

/** A reference without a target. `main`: the first file; all others are looked for in its folder. */
export function missingTarget(
  location: SchemaLocation,
  reference: string,
  base: Resource,
  resources: Resources,
  main: Document,
): HeadgateError {
  const uri = resolveUri(reference, base.uri)
  if (uri === undefined)
    return fault(`${at(location)} refers to ${JSON.stringify(reference)}, which is not a URI`)
  const [address, fragment] = splitFragment(uri)
  const target = resources.find(address)
  if (target !== undefined)
    return fault(`${at(location)} refers to "${target.root.document.path}#${fragment}", which does not exist`)
  const reason = /^file:/.test(address)
    ? 'which is not in the folder of the schema'
    : 'which no file in the folder of the schema has as its "$id"; nothing is fetched over the network'
  return fault(`${at(location)} refers to ${inFolder(address, main)}, ${reason}`)
}

/** Files by their paths relative to the main schema: messages contain no paths of this machine. */
function inFolder(uri: string, { uri: main }: Document): string {
  const folder = main.slice(0, main.lastIndexOf('/') + 1)
  return `"${uri.startsWith('file:') && uri.startsWith(folder) ? uri.slice(folder.length) : uri}"`
}

export const duplicateId = (location: SchemaLocation, uri: string): HeadgateError =>
  fault(`${at(location)} has the "$id" "${uri}", which another schema has already`)

export function badPattern(location: SchemaLocation, error: unknown): unknown {
  if (!(error instanceof HeadgateError)) return error
  return fault(`${at(location)} has a pattern that cannot be used: ${error.message.replace(/\.$/, '')}`)
}

export const endless = (location: SchemaLocation): HeadgateError =>
  fault(
    `${at(location)} refers to itself without looking deeper into the event, so that a check would never end`,
  )
