import { HeadgateError } from '../../../errors.js'
import { milliseconds } from '../../../units.js'
import type { Connections } from './connections.js'
import { networkReason } from './exchange.js'
import { retryAfter } from './retry-after.js'
import type { Settings } from './settings.js'
import type { Grant } from './token.js'

/** Asks the token endpoint for a token (RFC 6749, 4.3 and 4.4). What it returns rejects with HG_ACK_TOKEN. */
export function tokenRequest(
  settings: Settings,
  { servers, tokenPath: path }: Pick<Connections, 'servers' | 'tokenPath'>,
): () => Promise<Grant> {
  const timeout = milliseconds(settings.timeout)
  const maxRetryAfter = milliseconds(settings.maxRetryAfter)
  const body = form(settings)
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    'user-agent': 'headgate',
    ...(settings.oauth.clientAuthentication === 'basic' && { authorization: basic(settings) }),
  }

  return async () => {
    const { status, text, after } = await send().catch((thrown: unknown) => {
      throw new HeadgateError('HG_ACK_TOKEN', `The token endpoint gave no answer: ${networkReason(thrown)}.`)
    })
    const answer = parse(text)
    if (status !== 200) throw refusal(status, answer, retryAfter(after, maxRetryAfter))
    return grant(answer)
  }

  async function send(): Promise<{ status: number; text: string; after: string | undefined }> {
    const { token } = await servers()
    const signal = AbortSignal.timeout(timeout)
    const answer = await token.request({ method: 'POST', path, headers, body, signal })
    const after = answer.headers['retry-after']
    return {
      status: answer.statusCode,
      text: await answer.body.text(),
      after: typeof after === 'object' ? after[0] : after,
    }
  }
}

function form({ oauth, clientId, clientSecret }: Settings): string {
  const { grant, scopes, clientAuthentication } = oauth
  return new URLSearchParams({
    grant_type: grant.type,
    ...(grant.type === 'password' && { username: grant.username, password: grant.password }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(clientAuthentication === 'body' && { client_id: clientId, client_secret: clientSecret }),
  }).toString()
}

/** Id and secret are form-encoded before they are joined (RFC 6749, 2.3.1): either may hold a colon. */
function basic({ clientId, clientSecret }: Settings): string {
  const encode = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length)
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`
}

function parse(text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function refusal(
  status: number,
  { error }: { readonly [name: string]: unknown },
  after: number | undefined,
): HeadgateError {
  // Only what looks like an error code of OAuth is passed on: an endpoint may echo what it was sent.
  const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
  return new HeadgateError('HG_ACK_TOKEN', `The token endpoint answered ${status}${code}.`, {
    ...(after !== undefined && { retryAfter: after / 1000 }),
    cause: { status },
  })
}

function grant(answer: { readonly [name: string]: unknown }): Grant {
  const { access_token: accessToken, token_type: type = 'Bearer', expires_in: expiresIn } = answer
  if (typeof accessToken !== 'string' || !/^[!-~]+$/.test(accessToken)) {
    throw new HeadgateError('HG_ACK_TOKEN', 'The token endpoint answered 200 without a usable access_token.')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new HeadgateError('HG_ACK_TOKEN', 'The token endpoint issued a token that is not a bearer token.')
  }
  // Some servers write the number as a string.
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn
  const known = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0
  return { accessToken, lifetime: known ? seconds * 1000 : undefined }
}
