/** The listener that all pipelines share. It outlives them. */
export interface HttpListener {
  /**
   * Counts the bodies of all requests that are coming in or in flight. A source need not count what it is handed: it is
   * released when `handle` settles. It counts what it makes of it (an inflated body), or keeps for longer.
   */
  readonly memory: BodyMemory
  /**
   * How many processes (HEADGATE_WORKERS) share the listener, each with a source of its own; absent where it is one. What a
   * source bounds for all its senders together, it divides by it.
   */
  readonly sharedBy?: number
  /**
   * Serves `path` until the returned function is called. A source of the same pipeline takes a path over from the one
   * before it, without a gap; what has begun there goes on.
   */
  serve(path: string, handler: HttpHandler): () => void
}

/** A bound for the bytes of bodies that a process holds at a time. What is counted has to be released. */
export interface BodyMemory {
  /** False, and nothing counted, where there is no room. */
  take(bytes: number): boolean
  /** Counts what is held already, even where there is no room. */
  add(bytes: number): void
  release(bytes: number): void
}

export interface HttpHandler {
  readonly methods: readonly string[]
  readonly maxBodyBytes: number
  /** Looks at the head of a request before its body is read: a returned answer ends the request. */
  head(request: HttpHead): HttpResponse | undefined | Promise<HttpResponse>
  handle(request: HttpRequest): Promise<HttpResponse>
  /** The answer to a body that is larger than `maxBodyBytes`. */
  tooLarge(request: HttpHead): Promise<HttpResponse>
  /** The answer to a body that there is no memory for. */
  noMemory(request: HttpHead): Promise<HttpResponse>
}

/** What tells with which request an event came, in the log, in the answer and in traces. */
export interface Correlation {
  /**
   * What the sender gave as `x-request-id`, or an id that is made when it is first asked for. The listener puts it into
   * the answer wherever it was given, was asked for, or the answer is no success.
   */
  readonly requestId: string
  /** A valid W3C trace context of the sender, in the form of version 00. */
  readonly traceparent: string | undefined
  /** What tracing systems put beside it; never without it. */
  readonly tracestate: string | undefined
}

export interface HttpHead extends Correlation {
  readonly method: string
  /** Lower-case names. A header that was sent twice is joined as node:http does. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
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
}
