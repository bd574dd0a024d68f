import { type Ajv, MissingRefError, type ValidateFunction } from 'ajv'
import { HeadgateError, type Violation } from '../../../errors.js'
import type { Files } from '../../../plugin.js'
import { DRAFTS, type Draft, newAjv, schemaChecker } from './ajv.js'
import { type Document, findByUri, readMain } from './documents.js'
import { missingTarget, unusable } from './faults.js'
import { violations } from './violations.js'

/**
 * Compiles a schema file with all that it refers to. Throws HG_CONFIG_UNREADABLE or HG_CONFIG_SCHEMA_FILE; where a
 * schema itself is not valid, `violations` of the error point into its file.
 */
export function compileSchema(files: Files, path: string): ValidateFunction {
  const documents: [Document, ...Document[]] = [readMain(files, path)]
  try {
    return compileAll(files, documents)
  } catch (error) {
    throw error instanceof HeadgateError && error.code !== 'HG_CONFIG_REGEX'
      ? error
      : unusable(error, documents)
  }
}

/** Adds documents to the one in the list until none is missing. */
function compileAll(files: Files, documents: [Document, ...Document[]]): ValidateFunction {
  const [main] = documents
  const draft = draftOf(main) ?? '2020-12'
  const ajv = newAjv(draft)
  add(ajv, main, draft)
  for (;;) {
    const result = compile(ajv, main)
    if (!(result instanceof MissingRefError)) return result
    const isKnown = documents.some(({ uri }) => uri === result.missingSchema)
    const found = isKnown ? undefined : findByUri(files, result.missingSchema, documents)
    if (found === undefined) throw missingTarget(result, documents)
    documents.push(found)
    add(ajv, found, draft)
  }
}

function compile(ajv: Ajv, main: Document): ValidateFunction | MissingRefError {
  try {
    const validate = ajv.getSchema(main.uri)
    // Such a validator returns a promise, which would pass for "valid".
    if (validate === undefined || '$async' in validate) throw new Error('"$async" is not supported')
    return validate
  } catch (error) {
    if (error instanceof MissingRefError) return error
    throw error
  }
}

/** Adds a document under its URI, which is its base too: what is in a file that has no "$id" is then found by its place. */
function add(ajv: Ajv, document: Document, draft: Draft): void {
  const { path, uri, schema, extensions } = document
  if ((draftOf(document) ?? draft) !== draft) {
    throw new HeadgateError(
      'HG_CONFIG_SCHEMA_FILE',
      `The schema file ${path} is of another draft than the one that refers to it.`,
    )
  }
  const checker = schemaChecker(draft)
  if (!checker.validateSchema(schema)) {
    throw new HeadgateError('HG_CONFIG_SCHEMA_FILE', `The schema file ${path} is not a valid JSON Schema.`, {
      violations: firstOfEachPlace(violations(checker.errors ?? [])),
    })
  }
  ajv.addVocabulary(extensions.filter((name) => ajv.getKeyword(name) === false))
  ajv.addSchema(typeof schema === 'boolean' ? schema : { ...schema, $id: uri }, uri, false, false)
}

/** Undefined where the file does not say. */
function draftOf({ path, schema }: Document): Draft | undefined {
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

/** The alternatives of one place repeat each other. */
const firstOfEachPlace = (all: readonly Violation[]): Violation[] =>
  all.filter(({ pointer }, index) => all.findIndex((other) => other.pointer === pointer) === index)
