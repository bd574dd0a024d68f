import { STATUS_CODES } from 'node:http'
import { ERRORS, type HeadgateError } from '../contract/errors.js'
import type { HttpResponse } from '../contract/index.js'

/** Seconds after which a sender may try again, if the error does not say. */
const RETRY_AFTER = 5

/** An error as a response: problem+json (RFC 9457), with Retry-After if the sender should try again. */
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
    // The reason why our side fails (a broker, a topic) is for the operator's log, not for the sender.
    ...((error.kind === 'data' || error.kind === 'limit') && { detail: error.message }),
    code,
    ...(id !== undefined && { id }),
    ...(violations.length > 0 && { errors: violations }),
  }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...((error.kind === 'infrastructure' || error.kind === 'limit') && {
        'retry-after': String(error.retryAfter ?? RETRY_AFTER),
      }),
      ...headers,
    },
    body: JSON.stringify(body),
    error,
  }
}

/** The bytes of a response that belongs to no request of node:http. It closes its connection. */
export function rawResponse(error: HeadgateError): { readonly status: number; readonly text: string } {
  const { status, headers, body } = problem(error)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  return { status, text }
}
