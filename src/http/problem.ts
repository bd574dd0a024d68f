import type { HeadgateError } from '../contract/errors.js'
import { ERRORS } from '../contract/errors.js'
import type { HttpResponse } from '../contract/index.js'

/** Seconds after which a sender may try again, where the error does not say. */
const RETRY_AFTER = 5

/** An error as an answer: problem+json (RFC 9457), with Retry-After where the fault is ours. */
export function problem(
  error: HeadgateError,
  id?: string,
  headers: { readonly [name: string]: string } = {},
): HttpResponse {
  const { code, status, violations } = error
  const { meaning } = ERRORS[code]
  const body = {
    type: `urn:headgate:error:${code}`,
    title: meaning,
    status,
    // Why our side fails (which broker, which topic) is for the operator's log, not for the sender.
    ...(error.kind === 'data' && { detail: error.message }),
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
