import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { HeadgateError } from '../../../contract/errors.js'
import { milliseconds } from '../../../lib/units.js'
import type { Connections } from './connections.js'
import { type FullResponse, fullExchange, MAX_RESPONSE, networkReason } from './exchange.js'
import { retryAfter } from './retry-after.js'
import type { Settings } from './settings.js'
import type { Grant } from './token.js'

/** Requests a token from the token endpoint (RFC 6749, 4.3 and 4.4). The returned function rejects with HG_ACK_TOKEN. */
export function tokenRequest(
  settings: Settings,
  connections: Pick<Connections, 'servers' | 'tokenPath'>,
): () => Promise<Grant> {
  const timeout = milliseconds(settings.timeout)
  const maxRetryAfter = milliseconds(settings.maxRetryAfter)
  const request = {
    method: 'POST',
    path: connections.tokenPath,
    headers: headers(settings),
    body: body(settings),
  } as const

  return async () => {
    const { token } = await connections.servers()
    const response = await fullExchange(token, request, timeout).catch((thrown: unknown) => {
      throw new HeadgateError('HG_ACK_TOKEN', `The token endpoint did not respond: ${networkReason(thrown)}.`)
    })
    if (response.status > 299) throw readRefusal(response, maxRetryAfter)
    return readGrant(response)
  }
}

function headers({ oauth, clientId, clientSecret }: Settings): { readonly [name: string]: string } {
  const form = oauth.grant.type !== 'access_key'
  return {
    'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    accept: 'application/json',
    'user-agent': 'headgate',
    ...(form && basic(oauth.clientAuthentication, clientId, clientSecret)),
  }
}

function body({ oauth, clientId, clientSecret }: Settings): string {
  const { grant, scopes, clientAuthentication } = oauth
  if (grant.type === 'access_key')
    return JSON.stringify({ accessKeyId: clientId, accessKeySecret: clientSecret })
  return new URLSearchParams({
    grant_type: grant.type,
    ...(grant.type === 'password' && { username: grant.username, password: grant.password }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(clientAuthentication === 'body' && { client_id: clientId, client_secret: clientSecret }),
  }).toString()
}

/**
 * The public programs for CXone join id and secret as they are (RFC 7617), so that "App@Vendor" stays that; RFC 6749, 2.3.1
 * has both form-encoded first.
 */
function basic(
  authentication: Settings['oauth']['clientAuthentication'],
  id: string,
  secret: string,
): { readonly authorization?: string } {
  if (authentication === 'body') return {}
  const pair = authentication === 'basic' ? [id, secret] : [formEncoded(id), formEncoded(secret)]
  return { authorization: `Basic ${Buffer.from(pair.join(':')).toString('base64')}` }
}

const formEncoded = (text: string): string => new URLSearchParams({ text }).toString().slice('text='.length)

/** How servers write "Bearer" (RFC 6749, 5.1); null, an empty text and no type at all mean it too. */
const BEARER = /^(bearer([ _-]?token)?)?$/i

/** The longest lifetime that is believed, in seconds: a year. */
const LONGEST = 365 * 24 * 3600

/** The token of a response with a 2xx. Throws HG_ACK_TOKEN, with nothing of the response in its message. */
export function readGrant(response: FullResponse): Grant {
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
  // Some servers write the number as a string. Anything else, or a number not above 0, is ignored: a 401 will tell.
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn
  const isValid = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0
  return { accessToken, lifetime: isValid ? Math.min(seconds, LONGEST) * 1000 : undefined }
}

/** The error for a response with any other status. */
export function readRefusal(response: FullResponse, maxRetryAfter: number): HeadgateError {
  const { status } = response
  const after = retryAfter(response, maxRetryAfter)
  // Only an error code of OAuth is passed on: an endpoint may echo the credentials.
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

function errorOf(response: FullResponse): string {
  try {
    const { error } = parse(text(response))
    return typeof error === 'string' ? error : ''
  } catch {
    // The status says enough.
    return ''
  }
}

/** Without a byte order mark. */
function text({ status, body, contentEncoding }: FullResponse): string {
  try {
    return new TextDecoder().decode(decodeContent(body, contentEncoding, MAX_RESPONSE))
  } catch (thrown) {
    const reason = thrown instanceof TypeError ? thrown.message : 'unknown'
    throw new HeadgateError(
      'HG_ACK_TOKEN',
      `The token endpoint responded with status ${status} and a body that cannot be read: ${reason}.`,
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

/** A body with more codings than this is no sensible response to a request that asked for none. */
const MAX_CODINGS = 3

type Decoder = (body: Buffer, limit: { readonly maxOutputLength: number }) => Buffer

const DECODERS: { readonly [coding: string]: Decoder } = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  // With the zlib header as RFC 9110 says, or without it as many servers send it (8.4.1.2).
  deflate: (body, limit) =>
    ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, limit) : inflateRawSync(body, limit),
}

/**
 * The decoded body: a server may choose a coding that was not asked for. Throws if it cannot be decoded, or would have more
 * than `maxBytes`. Synchronous, for small bodies.
 */
export function decodeContent(body: Buffer, contentEncoding: string | undefined, maxBytes: number): Buffer {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > MAX_CODINGS) throw new TypeError('it is encoded too many times')
  return codings.reduceRight((encoded, coding) => {
    const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined
    if (decoder === undefined) throw new TypeError('its Content-Encoding is none of gzip, deflate and br')
    try {
      return decoder(encoded, { maxOutputLength: maxBytes })
    } catch (thrown) {
      const tooLarge = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE'
      throw new TypeError(
        tooLarge ? `it has more than ${maxBytes} bytes when it is decoded` : `it is not valid ${coding}`,
      )
    }
  }, body)
}
