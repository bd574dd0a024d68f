import type { HeadgateError } from './errors.js'

/** The listener that all pipelines share. It outlives them. */
export interface HttpListener {
  /**
   * Counts the bodies of all requests that are arriving or in flight. The listener counts the body of a request and releases
   * it when `handle` settles. A source counts further bytes that it creates (an inflated body), or keeps for longer.
   */
  readonly memory: BodyMemory
  /**
   * How many processes (HEADGATE_WORKERS) share the listener, each with a source of its own; absent if there is one. A source
   * divides its limits for all senders together by it.
   */
  readonly sharedBy?: number
  /**
   * Serves `path` until the returned function is called. A source of the same pipeline takes a path over from the one
   * before it, without a gap; the requests in progress end in the earlier source.
   */
  serve(path: string, handler: HttpHandler): () => void
}

/** A limit for the bytes of bodies that a process holds at a time. Each counted byte must be released. */
export interface BodyMemory {
  /** Returns false, and counts nothing, if there is no room. */
  take(bytes: number): boolean
  /** Counts bytes that are held already, even if there is no room. */
  add(bytes: number): void
  release(bytes: number): void
}

export interface HttpHandler {
  /** Any methods but CONNECT. A request with another one is refused with 405. */
  readonly methods: readonly string[]
  readonly maxBodyBytes: number
  /** Checks the head of a request before its body is read: a returned response ends the request. */
  head(request: HttpHead): HttpResponse | undefined | Promise<HttpResponse>
  handle(request: HttpRequest): Promise<HttpResponse>
  /** The response to a body that is larger than `maxBodyBytes`. */
  tooLarge(request: HttpHead): Promise<HttpResponse>
  /** The response to a body that there is no memory for. */
  noMemory(request: HttpHead): Promise<HttpResponse>
  /**
   * Whether an address is that of a proxy that tells the true address of the sender, in Forwarded or X-Forwarded-For. Without it, no
   * proxy is.
   */
  trusts?(address: string): boolean
}

/** Connects an event with its request, in the log, in the response and in traces. */
export interface Correlation {
  /**
   * The `x-request-id` of the sender, or an id that is generated on first use. The response has it if the sender gave it, if
   * it was used, or if the response is not a success.
   */
  readonly requestId: string
  /** A valid W3C trace context of the sender, in the form of version 00. */
  readonly traceparent: string | undefined
  /** The data that tracing systems add to it; never without it. */
  readonly tracestate: string | undefined
  /**
   * The IP address of the sender: that of its connection, or the one that a trusted proxy tells. Undefined if it is unknown: no trusted
   * proxy tells a valid one, the connection has been closed, or there is none.
   */
  readonly remoteAddress?: string | undefined
}

export interface HttpHead extends Correlation {
  readonly method: string
  /** Path and query as the sender wrote them: nothing is decoded or normalised. */
  readonly target: string
  /** The part of `target` before the question mark. */
  readonly path: string
  /** The part of `target` after the question mark; empty if there is none. */
  readonly query: string
  /** The query, decoded as a form is. Parsed on first use: most events never need it. */
  readonly parameters: URLSearchParams
  /** Lower-case names. A header that was sent twice is joined as node:http does. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  /** True if a header, by its lower-case name, was sent more than once: `headers` joins its values, or has only the first. */
  isRepeated(header: string): boolean
}

export interface HttpRequest extends HttpHead {
  readonly body: Buffer
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** The error that it reports. It is not sent: operators see it among the refused requests. */
  readonly error?: HeadgateError
}
