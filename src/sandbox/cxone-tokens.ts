import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** The client that gets tokens. */
export interface TokenCredentials {
  readonly clientId: string
  readonly clientSecret: string
  /** For the password grant, and for the JSON body of an access key. */
  readonly accessKey?: { readonly id: string; readonly secret: string }
}

interface TokenResponse {
  readonly status: number
  readonly body: object
  readonly headers?: { readonly [name: string]: string }
}

const BEARER = /^Bearer +([!-~]+)$/i

/** The token endpoint of an OAuth 2.0 server (RFC 6749) with one client. */
export class TokenEndpoint {
  readonly #credentials: TokenCredentials
  readonly #lifetime: number
  /** The time at which each token expires, on the clock of `performance.now()`. */
  readonly #expiries = new Map<string, number>()
  #issued = 0

  /** `lifetime` in seconds. */
  constructor(credentials: TokenCredentials, lifetime: number) {
    this.#credentials = credentials
    this.#lifetime = lifetime
  }

  get issued(): number {
    return this.#issued
  }

  async respond(request: IncomingMessage): Promise<TokenResponse> {
    const body = await text(request)
    if (request.headers['content-type'] === 'application/json') {
      const { accessKey } = this.#credentials
      const isKnown = accessKey !== undefined && body === accessKeyBody(accessKey)
      return isKnown ? this.#issue('') : tokenError(401, 'invalid_client')
    }
    const form = new URLSearchParams(body)
    if (!knowsClient(request, form, this.#credentials)) return tokenError(401, 'invalid_client')
    const grant = form.get('grant_type')
    if (grant === null) return tokenError(400, 'invalid_request')
    if (grant !== 'client_credentials' && grant !== 'password')
      return tokenError(400, 'unsupported_grant_type')
    if (grant === 'password' && !knowsKey(form, this.#credentials)) return tokenError(400, 'invalid_grant')
    return this.#issue(form.get('scope') ?? '')
  }

  /** Whether the token of an Authorization header was issued, has not expired and is not revoked. */
  valid(authorization = ''): boolean {
    const token = BEARER.exec(authorization)?.[1]
    return token !== undefined && (this.#expiries.get(token) ?? 0) > performance.now()
  }

  revokeAll(): void {
    this.#expiries.clear()
  }

  #issue(scope: string): TokenResponse {
    const now = performance.now()
    for (const [token, expiry] of this.#expiries) if (expiry <= now) this.#expiries.delete(token)
    const token = randomBytes(24).toString('base64url')
    this.#expiries.set(token, now + this.#lifetime * 1000)
    this.#issued++
    return {
      status: 200,
      body: { access_token: token, token_type: 'Bearer', expires_in: this.#lifetime, scope },
      headers: { 'cache-control': 'no-store' },
    }
  }
}

function knowsClient(request: IncomingMessage, form: URLSearchParams, expected: TokenCredentials): boolean {
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (basic === undefined) {
    return form.get('client_id') === expected.clientId && form.get('client_secret') === expected.clientSecret
  }
  const pair = Buffer.from(basic, 'base64').toString('utf8')
  const { clientId: id, clientSecret: secret } = expected
  return pair === `${id}:${secret}` || pair === `${formEncoded(id)}:${formEncoded(secret)}`
}

const knowsKey = (form: URLSearchParams, { accessKey }: TokenCredentials): boolean =>
  accessKey !== undefined &&
  form.get('username') === accessKey.id &&
  form.get('password') === accessKey.secret

/** RFC 6749 (2.3.1) encodes id and secret inside Basic, programs for CXone do not: both forms are accepted. */
const formEncoded = (text: string): string => new URLSearchParams({ text }).toString().slice('text='.length)

/** The body of CXone's `/authentication/v1/token/access-key`. */
const accessKeyBody = ({ id, secret }: { readonly id: string; readonly secret: string }): string =>
  JSON.stringify({ accessKeyId: id, accessKeySecret: secret })

const tokenError = (status: number, error: string): TokenResponse => ({
  status,
  body: { error },
  ...(status === 401 && { headers: { 'www-authenticate': 'Basic realm="cxone"' } }),
})
