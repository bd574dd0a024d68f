import { asHeadgateError, HeadgateError } from '../../../contract/errors.js'

/** An access token as the token endpoint gave it. */
export interface Grant {
  readonly accessToken: string
  /** Milliseconds; undefined where the endpoint did not say. */
  readonly lifetime: number | undefined
}

export interface Token {
  /** Value of the Authorization header. */
  readonly authorization: string
  /** From then on a successor is requested; on the clock of `performance.now()`, as `expiresAt`. */
  readonly refreshAt: number
  readonly expiresAt: number
}

export interface TokenSource {
  /** The token to use now, if there is one. Near its expiry, this requests its successor. */
  current(): Token | undefined
  /**
   * A new token; concurrent callers share one request. Rejects with HG_ACK_TOKEN; during the pause after a failure it
   * rejects at once, without a request.
   */
  fetch(): Promise<Token>
  /** The API accepted this token. */
  accept(token: Token): void
  /** The API answered 401 to this token: it is not used again. A successor stays untouched. */
  refuse(token: Token): void
}

export interface TokenObserver {
  /** `lifetime` in milliseconds from now. */
  issued(lifetime: number): void
  failed(error: HeadgateError): void
}

const DEFAULT_LIFETIME = 5 * 60_000
/** Shorter lifetimes are raised to this: each attempt would ask for a token of its own. */
const SHORTEST_LIFETIME = 1000
const FIRST_BACKOFF = 1000
const LONGEST_BACKOFF = 30_000

/**
 * Keeps one access token: renewed at about 80 % of its life, while the old one still serves. After a failed
 * request the old one stays in use, with a growing pause before the next request. All times are monotonic: a clock that is set does
 * not make a token expire.
 */
export function tokenSource(request: () => Promise<Grant>, observer: TokenObserver): TokenSource {
  let token: Token | undefined
  let accepted: Token | undefined
  let pending: Promise<Token> | undefined
  let lastError = new HeadgateError('HG_ACK_TOKEN', 'No access token has been asked for yet.')
  /** Since a token was last accepted. */
  let failures = 0
  let notBefore = 0

  const backOff = (error: HeadgateError): void => {
    lastError = error
    const bound = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(failures - 1, 30))
    const pause = Math.max(bound * (0.5 + 0.5 * Math.random()), (error.retryAfter ?? 0) * 1000)
    notBefore = performance.now() + pause
  }
  const obtain = async (): Promise<Token> => {
    // Counted from before the request: the endpoint's clock starts somewhere in between.
    const askedAt = performance.now()
    try {
      const { accessToken, lifetime: said = DEFAULT_LIFETIME } = await request()
      const lifetime = Math.max(said, SHORTEST_LIFETIME)
      token = {
        authorization: `Bearer ${accessToken}`,
        // Several processes that started together do not renew together.
        refreshAt: askedAt + lifetime * (0.75 + 0.1 * Math.random()),
        expiresAt: askedAt + lifetime,
      }
      observer.issued(token.expiresAt - performance.now())
      return token
    } catch (thrown) {
      failures++
      const error = asHeadgateError(thrown, 'The token request')
      backOff(error)
      observer.failed(error)
      throw error
    } finally {
      pending = undefined
    }
  }
  const fetch = (): Promise<Token> => {
    if (pending !== undefined) return pending
    if (performance.now() < notBefore) return Promise.reject(lastError)
    pending = obtain()
    return pending
  }

  return {
    fetch,
    current() {
      if (token === undefined) return undefined
      const now = performance.now()
      if (now < token.refreshAt) return token
      if (now >= token.expiresAt) return undefined
      if (now >= notBefore) fetch().catch(() => undefined)
      return token
    },
    accept(used) {
      if (used === accepted) return
      accepted = used
      failures = 0
    },
    refuse(used) {
      if (used !== token) return
      token = undefined
      if (used === accepted) return
      // A token that never worked: a client without the right scopes gets them without end. The first one may be bad
      // luck (revoked before its first use); from then on it counts as a failed request.
      failures++
      if (failures > 1) backOff(new HeadgateError('HG_ACK_TOKEN', 'New access tokens are refused with 401.'))
    },
  }
}
