import { HeadgateError } from '../../../contract/errors.js'
import { milliseconds } from '../../../lib/units.js'
import type { Connections } from './connections.js'
import { fullExchange, networkReason } from './exchange.js'
import type { Settings } from './settings.js'
import type { Grant } from './token.js'
import { readGrant, readRefusal } from './token-response.js'

/** Asks the token endpoint for a token (RFC 6749, 4.3 and 4.4). What it returns rejects with HG_ACK_TOKEN. */
export function tokenRequest(
  settings: Settings,
  { servers, tokenPath: path }: Pick<Connections, 'servers' | 'tokenPath'>,
): () => Promise<Grant> {
  const timeout = milliseconds(settings.timeout)
  const maxRetryAfter = milliseconds(settings.maxRetryAfter)
  const request = { method: 'POST', path, headers: headers(settings), body: body(settings) } as const

  return async () => {
    const { token } = await servers()
    const response = await fullExchange(token, request, timeout).catch((thrown: unknown) => {
      throw new HeadgateError('HG_ACK_TOKEN', `The token endpoint gave no answer: ${networkReason(thrown)}.`)
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
