import { asHeadgateError, HeadgateError } from '../../../contract/errors.js'

/** An access token as the token endpoint issued it. */
export interface Grant {
  readonly accessToken: string
  /** Milliseconds; undefined if the endpoint did not say. */
  readonly lifetime: number | undefined
}

export interface Token {
  /** Value of the Authorization header. */
  readonly authorization: string
  /** When a successor is requested; on the clock of `performance.now()`, as is `expiresAt`. */
  readonly refreshAt: number
  readonly expiresAt: number
}

export interface TokenObserver {
  /** `lifetime` in milliseconds from now. */
  issued(lifetime: number): void
  failed(error: HeadgateError): void
}

const DEFAULT_LIFETIME = 5 * 60_000
/** Shorter lifetimes are raised to this: otherwise each attempt would request its own token. */
const SHORTEST_LIFETIME = 1000
const FIRST_BACKOFF = 1000
const LONGEST_BACKOFF = 30_000

/**
 * Keeps one access token: renewed at about 80 % of its life, while the old one still serves. After a failed request the
 * old one stays in use, with a growing pause before the next request. All times are monotonic: a change of the system
 * clock does not make a token expire.
 */
export class TokenSource {
  readonly #request: () => Promise<Grant>
  readonly #observer: TokenObserver
  #token: Token | undefined
  #accepted: Token | undefined
  #pending: Promise<Token> | undefined
  #lastError = new HeadgateError('HG_ACK_TOKEN', 'No access token has been requested yet.')
  /** Since a token was last accepted. */
  #failures = 0
  #notBefore = 0

  constructor(request: () => Promise<Grant>, observer: TokenObserver) {
    this.#request = request
    this.#observer = observer
  }

  /** The token to use now, if there is one. Near its expiry, this requests its successor. */
  current(): Token | undefined {
    const token = this.#token
    if (token === undefined) return undefined
    const now = performance.now()
    if (now < token.refreshAt) return token
    if (now >= token.expiresAt) return undefined
    if (now >= this.#notBefore) this.fetch().catch(() => undefined)
    return token
  }

  /**
   * A new token; concurrent callers share one request. Rejects with HG_ACK_TOKEN; during the pause after a failure it
   * rejects at once, without a request.
   */
  fetch(): Promise<Token> {
    if (this.#pending !== undefined) return this.#pending
    if (performance.now() < this.#notBefore) return Promise.reject(this.#lastError)
    this.#pending = this.#obtain()
    return this.#pending
  }

  /** The API accepted this token. */
  accept(token: Token): void {
    if (token === this.#accepted) return
    this.#accepted = token
    this.#failures = 0
  }

  /** The API responded with 401 to this token: it is not used again. A successor is unaffected. */
  refuse(token: Token): void {
    if (token !== this.#token) return
    this.#token = undefined
    if (token === this.#accepted) return
    // A token that never worked: otherwise a client without the right scopes would request tokens without end. The first
    // one may be bad luck (revoked before its first use); from then on it counts as a failed request.
    this.#failures++
    if (this.#failures > 1)
      this.#backOff(new HeadgateError('HG_ACK_TOKEN', 'The API rejects new access tokens with 401.'))
  }

  async #obtain(): Promise<Token> {
    // Counted from before the request: the endpoint starts to count somewhere in between.
    const requestedAt = performance.now()
    try {
      const { accessToken, lifetime: stated = DEFAULT_LIFETIME } = await this.#request()
      const lifetime = Math.max(stated, SHORTEST_LIFETIME)
      const token = {
        authorization: `Bearer ${accessToken}`,
        // Random, so that processes that started together do not renew together.
        refreshAt: requestedAt + lifetime * (0.75 + 0.1 * Math.random()),
        expiresAt: requestedAt + lifetime,
      }
      this.#token = token
      this.#observer.issued(token.expiresAt - performance.now())
      return token
    } catch (thrown) {
      this.#failures++
      const error = asHeadgateError(thrown, 'The token request')
      this.#backOff(error)
      this.#observer.failed(error)
      throw error
    } finally {
      this.#pending = undefined
    }
  }

  #backOff(error: HeadgateError): void {
    this.#lastError = error
    const bound = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(this.#failures - 1, 30))
    const pause = Math.max(bound * (0.5 + 0.5 * Math.random()), (error.retryAfter ?? 0) * 1000)
    this.#notBefore = performance.now() + pause
  }
}
