/** What the load generator is told to do. */
export interface LoadOrder {
  readonly port: number
  readonly token: string
  /** Makes the ids of this order unlike those of all others; one word. */
  readonly name: string
  /** Where events go, in turns. */
  readonly paths: readonly string[]
  /** What is in the payload of an event, as the members of a JSON object; in turns. */
  readonly payloads: readonly string[]
  /** The payload is filled up until the body has so many. */
  readonly bodyBytes: number
  readonly seconds: number
  /** Ends it earlier; for the closed loop. */
  readonly events?: number
  /** Closed loop: so many events are in flight. Open loop: so many connections are there at the start. */
  readonly connections: number
  /** Open loop: events a second, whether or not the ones before are answered. */
  readonly rate?: number
}

export interface LoadResult {
  readonly delivered: number
  /** Answers other than 200, by status. */
  readonly refused: { readonly [status: string]: number }
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Milliseconds from request to answer; in the open loop from when the request was due. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** CPU seconds of the generator. */
  readonly cpu: number
  /** Open loop: how late the generator itself was, in milliseconds; 99 % of the events were no later. */
  readonly lateP99: number
  /** Open loop: the share of the events that had to wait for a free connection. */
  readonly queued: number
}
