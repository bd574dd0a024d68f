/**
 * A request that differs from the usual one, which has an event as JSON and a bearer token: with the HMAC of the body instead of the
 * token, with the event as a form, or with several events as a JSON array.
 */
export type RequestKind = 'signed' | 'form' | 'batch'

/** An order to the load generator. */
export interface LoadOrder {
  /** Of one program; connections go to them in turn, as behind a load balancer. */
  readonly ports: readonly number[]
  readonly token: string
  readonly requests?: RequestKind | undefined
  /** Makes the ids of this order unlike those of all others; one word. */
  readonly name: string
  /** The paths of the events, in alternation. */
  readonly paths: readonly string[]
  /** The payloads of the events, as the members of a JSON object; in alternation. */
  readonly payloads: readonly string[]
  /** The size of an event in the body: the payload is padded to reach it. */
  readonly bodyBytes: number
  readonly seconds: number
  /** Ends it earlier; for the closed loop. */
  readonly events?: number
  /** Closed loop: the number of requests in flight. Open loop: the number of connections at the start. */
  readonly connections: number
  /** Open loop: events a second, whether or not the earlier requests have their responses. */
  readonly rate?: number
}

export interface LoadResult {
  /** Events. */
  readonly delivered: number
  /** Responses other than 200, by status. */
  readonly refused: { readonly [status: string]: number }
  /** From the first request to the last response. */
  readonly seconds: number
  /** Milliseconds from request to response; in the open loop from the time at which the request was due. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** CPU seconds of the generator. */
  readonly cpu: number
  /** Open loop: the delay of the generator itself, in milliseconds; 99 % of the events were no later. */
  readonly lateP99: number
  /** Open loop: the share of the requests that had to wait for a free connection. */
  readonly queued: number
}
