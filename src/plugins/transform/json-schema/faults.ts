import type { MissingRefError } from 'ajv'
import { HeadgateError } from '../../../errors.js'
import { child } from '../../../json/pointer.js'
import { compileEcmaRegex } from '../../../regex.js'
import type { Document } from './documents.js'

interface Member {
  readonly document: Document
  readonly pointer: string
  readonly key: string
  readonly value: unknown
}

/** A reference that leads nowhere, with its place. */
export function missingTarget(error: MissingRefError, documents: readonly Document[]): HeadgateError {
  const { missingRef, missingSchema } = error
  const reference = find(
    documents,
    ({ document, key, value }) => key === '$ref' && resolves(value, document, missingRef),
  )
  const target = documents.find(({ uri }) => uri === missingSchema)
  const name =
    target === undefined
      ? inFolder(missingSchema, documents)
      : `"${target.path}#${missingRef.split('#')[1] ?? ''}"`
  const reason =
    target !== undefined
      ? 'which does not exist'
      : /^file:/.test(missingSchema)
        ? 'which is not in the folder of the schema'
        : 'which no file in the folder of the schema has as its "$id"; nothing is fetched over the network'
  return fault(`${place(reference, documents)} refers to ${name}, ${reason}`)
}

/** Whatever else ajv refuses, with its place where that can be told. */
export function unusable(error: unknown, documents: readonly Document[]): HeadgateError {
  const message =
    error instanceof Error ? error.message.replace(/^strict mode: /, '').replace(/\.$/, '') : String(error)
  if (error instanceof HeadgateError) {
    const pattern = find(documents, (member) =>
      patternsIn(member).some((text) => regexFault(text) === error.message),
    )
    return fault(`${place(pattern, documents)} has a pattern that cannot be used: ${message}`)
  }
  const unknown = /^unknown keyword: "(.*)"$/.exec(message)?.[1]
  if (unknown === undefined) return fault(`${place(undefined, documents)} cannot be used: ${message}`)
  const keyword = find(documents, ({ key }) => key === unknown)
  return fault(
    `${place(keyword, documents)}: JSON Schema has no such keyword (those of other tools begin with "x-")`,
  )
}

const fault = (message: string) => new HeadgateError('HG_CONFIG_SCHEMA_FILE', `${message}.`)

const place = (member: Member | undefined, [main]: readonly Document[]): string =>
  member === undefined
    ? `The schema file ${main?.path}`
    : `The schema file ${member.document.path} at ${member.pointer}`

const resolves = (reference: unknown, { uri }: Document, target: string): boolean =>
  typeof reference === 'string' && URL.canParse(reference, uri) && new URL(reference, uri).href === target

/** Files by their names beside the main schema: where the project lies on this machine is nobody's business. */
function inFolder(uri: string, [main]: readonly Document[]): string {
  const folder = main?.uri.slice(0, main.uri.lastIndexOf('/') + 1) ?? ''
  return `"${uri.startsWith('file:') && uri.startsWith(folder) ? uri.slice(folder.length) : uri}"`
}

function patternsIn({ key, value }: Member): readonly string[] {
  if (key === 'pattern' && typeof value === 'string') return [value]
  return key === 'patternProperties' && typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function regexFault(pattern: string): string | undefined {
  try {
    compileEcmaRegex(pattern)
    return undefined
  } catch (error) {
    return error instanceof HeadgateError ? error.message : undefined
  }
}

function find(documents: readonly Document[], fits: (member: Member) => boolean): Member | undefined {
  for (const document of documents) {
    for (const member of members(document, '', document.schema)) if (fits(member)) return member
  }
  return undefined
}

function* members(document: Document, parent: string, value: unknown): Generator<Member> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const pointer = child(parent, key)
    yield { document, pointer, key, value: inner }
    yield* members(document, pointer, inner)
  }
}
