import { HeadgateError } from '../../../../contract/errors.js'
import type { HttpHead } from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/pointer.js'

export type Headers = HttpHead['headers']

/**
 * Verifies the sender of a request. Both functions throw HG_INTAKE_UNAUTHENTICATED, with a message that names the missing or
 * wrong part and holds no secret.
 */
export interface Verifier {
  /** Checks the headers alone, before the body is read. */
  readonly head?: (headers: Headers) => void
  /** Checks the bytes of the body too, before anything else reads them. */
  readonly body?: (headers: Headers, body: Buffer) => void
  /** The challenge of WWW-Authenticate. */
  readonly challenge?: string
}

/** The value of a header, by its lower-case name. */
export function header(headers: Headers, name: string): string {
  const value = headers[name]
  if (typeof value !== 'string' || value === '') throw unauthenticated(`The header ${name} is missing.`)
  return value
}

export const unauthenticated = (message: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_UNAUTHENTICATED', message)

/** A setting that is the name of a header. */
export const HeaderName = (description: string) =>
  Type.String({
    pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
    expected: 'the name of a header such as "X-Signature"',
    description,
  })

/** A setting that is a list of secrets; each of them is accepted. */
export const Secrets = (description: string, items: { pattern?: string; expected?: string } = {}) =>
  Type.Array(Type.String({ minLength: 1, ...items }), { minItems: 1, description, secret: true })
