import type { HeadgateError } from '../errors.js'
import { ERRORS } from '../errors.js'
import type { HttpAnswer } from '../plugin.js'

/** Seconds after which a sender may try again, where the error does not say. */
const RETRY_AFTER = 5

/** An error as an answer: problem+json (RFC 9457), with Retry-After where the fault is ours. */
export function problem(
  error: HeadgateError,
  id?: string,
  headers: { readonly [name: string]: string } = {},
): HttpAnswer {
  const { code, status, message, violations } = error
  const body = {
    type: `urn:headgate:error:${code}`,
    title: ERRORS[code].meaning,
    status,
    detail: message,
    code,
    ...(id !== undefined && { id }),
    ...(violations.length > 0 && { errors: violations }),
  }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(error.kind === 'infrastructure' && { 'retry-after': String(error.retryAfter ?? RETRY_AFTER) }),
      ...headers,
    },
    body: JSON.stringify(body),
  }
}
