import { HeadgateError } from '../contract/errors.js'
import type { BodyMemory, HttpHandler, HttpHead, HttpResponse, Log } from '../contract/index.js'
import { InFlight } from '../lib/async.js'
import { type BodyEnd, RequestBody } from './body.js'
import { Connection } from './connection.js'
import type { Incoming, Outgoing } from './message.js'
import { problem } from './problem.js'
import { isRefused, type RefusedRequests, refusedRequest } from './refused.js'
import { ReceivedRequest } from './request.js'
import { respond, respondEarly } from './respond.js'
import type { TickBudget, Work } from './tick-budget.js'

/** The pipeline that a request belongs to, and the counter of its responses. */
export interface Owner {
  readonly pipeline: string
  readonly onResponse: (status: number) => void
}

/** A path that a pipeline serves. */
export interface Route extends Owner {
  readonly handler: HttpHandler
  /** The requests that have come to it and have not ended. */
  readonly requests: InFlight
}

/** The state that the exchanges of one listener share. */
export interface ExchangeContext {
  readonly log: Log
  readonly requests: OpenRequests
  readonly memory: BodyMemory
  readonly ticks: TickBudget
  readonly refused: RefusedRequests
  /** True once every response closes its connection. */
  closing(): boolean
}

/** The requests on all connections that wait for their response. */
export class OpenRequests extends InFlight {
  readonly #onNone: () => void

  /** `onNone` is called each time that the last one has ended. */
  constructor(onNone: () => void) {
    super()
    this.#onNone = onNone
  }

  override end(): void {
    super.end()
    if (this.count === 0) this.#onNone()
  }
}

/** Produces the response to a refused request. */
type Refusal = () => HttpResponse | Promise<HttpResponse>

/** Takes a request that came to a route: refuses it for its head, or reads its body and calls the route's handler. */
export function exchange(
  request: Incoming,
  outgoing: Outgoing,
  route: Route,
  context: ExchangeContext,
): void {
  const { handler, requests } = route
  const received = ReceivedRequest.of(request, handler.trusts)
  requests.begin()
  const refusal = preflight(received, handler)
  if (refusal !== undefined) {
    void refuse(request, outgoing, received, refusal, route, context, requests)
    return
  }
  if (request.headers.expect !== undefined && request.httpVersion !== '1.0') outgoing.writeContinue()
  const ends = new Exchange(request, outgoing, route, context, received)
  const { 'content-length': length } = request.headers
  const limit = length === undefined ? handler.maxBodyBytes : Number(length)
  request.readBody(new RequestBody(limit, context.memory, ends))
}

/**
 * A request whose body arrives, and its response. A sender that leaves before its body is complete has sent nothing; one that
 * leaves later changes nothing. A class, so that an event costs one object here and not a closure for each step.
 */
class Exchange implements BodyEnd, Work {
  readonly #request: Incoming
  readonly #outgoing: Outgoing
  readonly #route: Route
  readonly #context: ExchangeContext
  readonly #received: ReceivedRequest
  readonly #connection: Connection
  #bodyBytes = 0
  /** Of the response, once it is written. */
  #status: number | undefined = undefined

  constructor(
    request: Incoming,
    outgoing: Outgoing,
    route: Route,
    context: ExchangeContext,
    received: ReceivedRequest,
  ) {
    this.#request = request
    this.#outgoing = outgoing
    this.#route = route
    this.#context = context
    this.#received = received
    this.#connection = Connection.of(request.socket)
  }

  complete(body: Buffer): void {
    this.#received.body = body
    this.#received.receivedAt = Date.now()
    this.#bodyBytes = body.length
    this.#outgoing.pending = true
    this.#context.requests.begin()
    this.#connection.begin()
    this.#context.ticks.take(this)
  }

  run(): void {
    let response: HttpResponse | Promise<HttpResponse>
    try {
      response = this.#route.handler.handle(this.#received)
    } catch (thrown) {
      this.#fail(thrown)
      return
    }
    if (response instanceof Promise)
      response.then(
        (later) => this.#finish(later),
        (thrown) => this.#fail(thrown),
      )
    else this.#finish(response)
  }

  tooLarge(): void {
    this.#refuse(() => this.#route.handler.tooLarge(this.#received))
  }

  noMemory(): void {
    this.#refuse(() => this.#route.handler.noMemory(this.#received))
  }

  smallPieces(): void {
    this.#refuse(() => problem(smallPieces()))
  }

  aborted(): void {
    this.#route.requests.end()
  }

  #refuse(refusal: Refusal): void {
    const route = this.#route
    void refuse(this.#request, this.#outgoing, this.#received, refusal, route, this.#context, route.requests)
  }

  #fail(thrown: unknown): void {
    this.#send(sourceFailed(thrown, this.#received, this.#route, this.#context.log))
    this.#end()
  }

  #finish(response: HttpResponse): void {
    try {
      this.#send(response)
    } catch (thrown) {
      // It cannot be written: a header that HTTP does not allow.
      this.#fail(thrown)
      return
    }
    this.#end()
  }

  /** A sender that has left gets no response, and none is counted. */
  #send(response: HttpResponse): void {
    if (!this.#outgoing.canBeSent) return
    const { status } = response
    this.#status = status
    respond(this.#outgoing, response, this.#context.closing(), this.#received.idForResponse(status))
    this.#route.onResponse(status)
    if (isRefused(response)) this.#keep(response)
  }

  #keep(response: HttpResponse): void {
    const { body } = this.#received
    const { pipeline } = this.#route
    this.#context.refused.add(refusedRequest(this.#received, response, pipeline, body))
  }

  #end(): void {
    this.#context.memory.release(this.#bodyBytes)
    this.#context.requests.end()
    this.#connection.end(this.#status)
    this.#route.requests.end()
  }
}

/** Responds to a request whose body has not been read; it ends in `routeRequests` then. Its promise never rejects. */
export async function refuse(
  request: Incoming,
  outgoing: Outgoing,
  received: ReceivedRequest,
  refusal: Refusal,
  owner: Owner,
  context: ExchangeContext,
  routeRequests?: InFlight,
): Promise<void> {
  const { requests } = context
  const connection = Connection.of(request.socket)
  let status: number | undefined
  outgoing.pending = true
  requests.begin()
  connection.begin()
  const send = (response: HttpResponse) => {
    if (!outgoing.canBeSent) return
    status = response.status
    respondEarly(request, outgoing, response, context.closing(), received.idForResponse(status))
    owner.onResponse(status)
    if (isRefused(response))
      context.refused.add(refusedRequest(received, response, owner.pipeline, undefined))
  }
  try {
    send(await refusal())
  } catch (thrown) {
    send(sourceFailed(thrown, received, owner, context.log))
  }
  // While the rest of the body arrives, a time-out of this request must not cause a second response.
  if (request.closed) requests.end()
  else request.once('close', () => requests.end())
  connection.end(status)
  routeRequests?.end()
}

/** Checks the head before the body is read: undefined if it is acceptable. */
export function preflight(head: HttpHead, handler: HttpHandler): Refusal | undefined {
  const { methods, maxBodyBytes } = handler
  if (!methods.includes(head.method)) return () => methodNotAllowed(head.method, methods)
  let refusal: ReturnType<HttpHandler['head']>
  try {
    refusal = handler.head(head)
  } catch (thrown) {
    return () => Promise.reject(thrown)
  }
  if (refusal !== undefined) return () => refusal
  if (Number(head.headers['content-length'] ?? 0) > maxBodyBytes) return () => handler.tooLarge(head)
  return undefined
}

function methodNotAllowed(method: string, methods: readonly string[]): HttpResponse {
  const allow = methods.join(', ')
  const error = new HeadgateError('HG_INTAKE_METHOD', `The method is ${method}; this path accepts ${allow}.`)
  return problem(error, undefined, { allow })
}

const smallPieces = (): HeadgateError =>
  new HeadgateError('HG_INTAKE_SMALL_CHUNKS', 'The body arrives in too many small pieces; send larger ones.')

function sourceFailed(
  thrown: unknown,
  { requestId }: ReceivedRequest,
  { pipeline }: Owner,
  log: Log,
): HttpResponse {
  const message = `The source of pipeline "${pipeline}" failed.`
  log.error({ pipeline, request_id: requestId, code: 'HG_PLUGIN_FAILED', err: thrown }, message)
  return problem(new HeadgateError('HG_PLUGIN_FAILED', message))
}
