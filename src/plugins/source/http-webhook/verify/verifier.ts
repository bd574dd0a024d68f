import { HeadgateError } from '../../../../contract/errors.js'
import type { HttpHead, JsonBody } from '../../../../contract/index.js'
import { headerText } from '../../../../lib/header-text.js'
import { Type } from '../../../../lib/json/pointer.js'

/** Everything of a request that can prove its sender before its body is read. */
export type Head = Pick<
  HttpHead,
  'method' | 'target' | 'path' | 'query' | 'parameters' | 'headers' | 'isRepeated'
>

/**
 * Verifies the sender of a request. Each function throws HG_INTAKE_UNAUTHENTICATED, with a message that names the missing or
 * wrong part and holds no secret.
 */
export interface Verifier {
  /** Checks the head alone, before the body is read. */
  readonly head?: (request: Head) => void
  /** The part of the check that has to wait for something, before the others look at the body. Rejects as they throw. */
  readonly prepare?: (request: Head) => Promise<void>
  /** Checks the bytes of the body too, before anything else reads them. */
  readonly body?: (request: Head, body: Buffer) => void
  /** Checks the parsed body, before anything else uses it. */
  readonly parsed?: (body: JsonBody) => void
  /** The key or token that a verified request presents, for schemes whose senders have keys of their own and show them in the head. */
  readonly key?: (request: Head) => string
  /** The challenge of WWW-Authenticate. */
  readonly challenge?: string
}

/** The value of a header, by its lower-case name. Of several, a sender and a proxy may mean different ones: they are refused. */
export function header(request: Head, name: string): string {
  const value = headerLines(request, name)
  if (request.isRepeated(name)) throw unauthenticated(`The header ${name} was sent more than once.`)
  return value
}

/** The values of a header that may be sent more than once, joined with commas. */
export function headerLines({ headers }: Head, name: string): string {
  const value = headers[name]
  if (typeof value !== 'string' || value === '') throw unauthenticated(`The header ${name} is missing.`)
  return headerText(value)
}

/** The value of a parameter of the query. */
export function parameter({ parameters }: Head, name: string): string {
  const [value, ...others] = parameters.getAll(name)
  if (value === undefined || value === '')
    throw unauthenticated(`The parameter ${name} of the query is missing.`)
  if (others.length > 0) throw unauthenticated(`The parameter ${name} of the query was sent more than once.`)
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

/** Secrets that are compared or used as they are. */
export const PlainSecrets = (description: string) =>
  Secrets(description, { pattern: '\\S', expected: 'a secret that is not blank' })
