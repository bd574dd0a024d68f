/** All in milliseconds. */
export interface Timeouts {
  /**
   * From the first byte of a request, or the opening of the connection, to the end of the headers. With TLS, also from
   * the opening of the connection to the end of the handshake.
   */
  readonly headers: number
  /** From the first byte of a request to its last. */
  readonly request: number
  /** How long a connection waits for its next request. Load balancers reuse theirs for up to 60 s. */
  readonly keepAlive: number
  /**
   * A sender may leave its responses unread for this time. Its connection is cut then, or at most as long again
   * later.
   */
  readonly inactive: number
  /** How often the first two are checked. */
  readonly checkEvery: number
}

export const TIMEOUTS: Timeouts = {
  headers: 5000,
  request: 10_000,
  keepAlive: 65_000,
  inactive: 300_000,
  checkEvery: 1000,
}
