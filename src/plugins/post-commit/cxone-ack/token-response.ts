import { HeadgateError } from '../../../contract/errors.js'
import { decodeContent } from './content-decoding.js'
import { type FullAnswer, MAX_ANSWER } from './exchange.js'
import { retryAfter } from './retry-after.js'
import type { Grant } from './token.js'

/** How servers write "Bearer" (RFC 6749, 5.1); null, an empty text and no type at all mean it too. */
const BEARER = /^(bearer([ _-]?token)?)?$/i

/** The longest lifetime that is believed, in seconds: a year. */
const LONGEST = 365 * 24 * 3600

/** The token of a response with a 2xx. Throws HG_ACK_TOKEN, with nothing in it of what came. */
export function readGrant(response: FullAnswer): Grant {
  const { status } = response
  const { access_token: accessToken, token_type: type, expires_in: expiresIn } = parse(text(response))
  if (typeof accessToken !== 'string' || !/^[!-~]+$/.test(accessToken)) {
    throw new HeadgateError(
      'HG_ACK_TOKEN',
      `The token endpoint answered ${status} without a usable access_token.`,
    )
  }
  if (!(type === undefined || type === null || (typeof type === 'string' && BEARER.test(type.trim())))) {
    throw new HeadgateError('HG_ACK_TOKEN', 'The token endpoint issued a token that is not a bearer token.')
  }
  // Some servers write the number as a string. What is none, or not above 0, says nothing: 401 will.
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn
  const known = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0
  return { accessToken, lifetime: known ? Math.min(seconds, LONGEST) * 1000 : undefined }
}

/** What a response with any other status says. */
export function readRefusal(response: FullAnswer, maxRetryAfter: number): HeadgateError {
  const { status } = response
  const after = retryAfter(response, maxRetryAfter)
  // Only what looks like an error code of OAuth is passed on: an endpoint may echo what it was sent.
  const code = /^[a-z_]{1,40}$/.exec(errorOf(response))
  return new HeadgateError(
    'HG_ACK_TOKEN',
    `The token endpoint answered ${status}${code ? ` (${code[0]})` : ''}.`,
    {
      ...(after !== undefined && { retryAfter: after / 1000 }),
      cause: { status },
    },
  )
}

function errorOf(response: FullAnswer): string {
  try {
    const { error } = parse(text(response))
    return typeof error === 'string' ? error : ''
  } catch {
    // The status says enough.
    return ''
  }
}

/** Without a byte order mark, where there is one. */
function text({ status, body, contentEncoding }: FullAnswer): string {
  try {
    return new TextDecoder().decode(decodeContent(body, contentEncoding, MAX_ANSWER))
  } catch (thrown) {
    const reason = thrown instanceof TypeError ? thrown.message : 'unknown'
    throw new HeadgateError(
      'HG_ACK_TOKEN',
      `The token endpoint answered ${status} with a body that cannot be read: ${reason}.`,
    )
  }
}

function parse(json: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
