import { isIPv6 } from 'node:net'
import type { Static } from 'typebox'
import { type ErrorCode, HeadgateError } from '../../../contract/errors.js'
import { type HttpHead, type Metrics, metric } from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'
import { type BucketLimit, KeyedBuckets, TokenBucket } from '../../../lib/token-bucket.js'

const Limit = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        rate: Type.Number({ exclusiveMinimum: 0, description: 'Events a second.' }),
        burst: Type.Optional(
          Type.Integer({
            minimum: 1,
            description:
              'How many may come at once, after a time with fewer than `rate` allows. Default: those of one second, at least 1.',
          }),
        ),
      },
      { additionalProperties: false, description },
    ),
  )

export const RateLimit = Type.Object(
  {
    pipeline: Limit('For all verified senders together.'),
    key: Limit('For each key or token of `verify`, if its scheme is "bearer", "basic" or "api-key".'),
    address: Limit(
      'For each address, verified or not, before anything else of the request is checked. Addresses of IPv6 with the same first 64 bits count as one.',
    ),
  },
  {
    additionalProperties: false,
    description:
      'How many events senders may send. Beyond that they get 429 with Retry-After. The items of a batch count as events: it is accepted if there is room for one, and the others are subtracted from the room for those that follow. With HEADGATE_WORKERS, each worker has an equal share; with several instances, each has these limits for itself.',
  },
)

export type RateLimitSettings = Static<typeof RateLimit>
type LimitName = keyof RateLimitSettings

const LIMITS = ['pipeline', 'key', 'address'] as const satisfies readonly LimitName[]
const LIMIT_CODES: { readonly [limit in LimitName]: ErrorCode } = {
  pipeline: 'HG_INTAKE_LIMIT_PIPELINE',
  key: 'HG_INTAKE_LIMIT_KEY',
  address: 'HG_INTAKE_LIMIT_ADDRESS',
}

export const LIMITED = metric({
  name: 'rate_limited_requests_total',
  type: 'counter',
  help: 'Requests that got 429, by the limit of `rateLimit` that they exceeded.',
  owner: 'pipeline',
  labels: { limit: LIMITS },
})

/** How many keys and addresses have a bucket of their own: some 3 MB of memory for each limit. */
const MOST_KEYS = 10_000

/** Limits how many events senders may send. Each function throws an error of kind `limit`. */
export class RateLimits {
  readonly #limits: { readonly [limit in LimitName]?: BucketLimit }
  readonly #pipeline: TokenBucket | undefined
  readonly #keys: KeyedBuckets | undefined
  readonly #addresses: KeyedBuckets | undefined
  readonly #keyOf: (request: HttpHead) => string
  readonly #count: (limit: LimitName) => void

  /** `keyOf`: the key that a verified request presents. `sharedBy`: how many processes share the limits. */
  constructor(
    settings: RateLimitSettings,
    sharedBy: number,
    keyOf: ((request: HttpHead) => string) | undefined,
    metrics: Metrics,
  ) {
    const share = ({
      rate,
      burst = Math.max(1, Math.ceil(rate)),
    }: NonNullable<RateLimitSettings['key']>) => ({
      rate: rate / sharedBy,
      burst: Math.ceil(burst / sharedBy),
    })
    const { pipeline, key, address } = settings
    this.#limits = {
      ...(pipeline && { pipeline: share(pipeline) }),
      ...(key && { key: share(key) }),
      ...(address && { address: share(address) }),
    }
    this.#pipeline = this.#limits.pipeline && new TokenBucket(this.#limits.pipeline)
    this.#keys = this.#limits.key && new KeyedBuckets(this.#limits.key, MOST_KEYS)
    this.#addresses = this.#limits.address && new KeyedBuckets(this.#limits.address, MOST_KEYS)
    this.#keyOf = keyOf ?? (() => '')
    const names = LIMITS.filter((name) => this.#limits[name] !== undefined)
    const counters = metrics.counters(LIMITED, names)
    this.#count = (limit) => counters[limit].inc()
  }

  /** For a request of which nothing has been checked: counts it against its address. */
  arrived({ remoteAddress }: HttpHead): void {
    const bucket = this.#addresses?.of(senderOf(remoteAddress))
    if (bucket === undefined) return
    const now = performance.now()
    this.#require('address', bucket, now)
    bucket.take(now, 1)
  }

  /** For a request whose head is accepted: whether its body is worth reading. Counts nothing, for it may be unverified. */
  requireRoom(request: HttpHead): void {
    this.#requireRoom(this.#keyBucket(request), performance.now())
  }

  /** For a verified request: counts its events. Others may have used up the room since its head was accepted. */
  accepted(request: HttpHead, events: number): void {
    const now = performance.now()
    const key = this.#keyBucket(request)
    this.#requireRoom(key, now)
    this.#pipeline?.take(now, events)
    key?.take(now, events)
    // The first one was counted when the request arrived.
    if (events > 1) this.#addresses?.of(senderOf(request.remoteAddress)).take(now, events - 1)
  }

  /**
   * The headers of the response to a request that exceeded a limit (draft-ietf-httpapi-ratelimit-headers-10): the limit, and when there is
   * room again.
   */
  headers({ code, retryAfter = 1 }: HeadgateError): { readonly [name: string]: string } {
    const name = LIMITS.find((each) => LIMIT_CODES[each] === code)
    const limit = name && this.#limits[name]
    if (limit === undefined) return {}
    const window = Math.max(1, Math.ceil(limit.burst / limit.rate))
    return {
      'ratelimit-policy': `"${name}";q=${limit.burst};w=${window}`,
      ratelimit: `"${name}";r=0;t=${retryAfter}`,
    }
  }

  #keyBucket(request: HttpHead): TokenBucket | undefined {
    return this.#keys?.of(this.#keyOf(request))
  }

  #requireRoom(key: TokenBucket | undefined, now: number): void {
    if (this.#pipeline !== undefined) this.#require('pipeline', this.#pipeline, now)
    if (key !== undefined) this.#require('key', key, now)
  }

  #require(limit: LimitName, bucket: TokenBucket, now: number): void {
    const wait = bucket.wait(now)
    if (wait <= 0) return
    this.#count(limit)
    const { rate } = this.#limits[limit] as BucketLimit
    throw new HeadgateError(LIMIT_CODES[limit], `${SUBJECT[limit]} more than ${rate} events a second.`, {
      retryAfter: Math.ceil(wait / 1000),
    })
  }
}

const SUBJECT: { readonly [limit in LimitName]: string } = {
  pipeline: 'The senders of this path send',
  key: 'The owner of this key sends',
  address: 'This address sends',
}

/** Everybody whose address is unknown is one sender. */
function senderOf(address = 'unknown'): string {
  return isIPv6(address) ? network64(address) : address
}

/** The first 64 bits of a canonical address: a site of IPv6 has at least so large a network. */
function network64(address: string): string {
  const [before = '', after] = address.split('::')
  const groups = before.split(':')
  if (after === undefined) return groups.slice(0, 4).join(':')
  const last = after.split(':')
  const zeros = Array<string>(8 - groups.length - last.length).fill('0')
  return [...groups, ...zeros, ...last].slice(0, 4).join(':')
}
