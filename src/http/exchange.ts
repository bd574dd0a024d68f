import type { IncomingMessage } from 'node:http'
import { HeadgateError } from '../contract/errors.js'
import type { BodyMemory, HttpHandler, HttpHead, HttpResponse, Log } from '../contract/index.js'
import { type BodyEnd, RequestBody } from './body.js'
import { Connection } from './connection.js'
import type { IncomingRequest } from './node-internals.js'
import type { OutgoingAnswer } from './outgoing-answer.js'
import { problem } from './problem.js'
import { ReceivedRequest } from './request.js'
import type { Requests } from './requests.js'
import { respond, respondEarly } from './respond.js'
import type { Turns, Work } from './turns.js'
import type { Unanswered } from './unanswered.js'

/** On whose behalf requests are answered, and whom the answers are reported to. */
export interface Owner {
  readonly pipeline: string
  readonly onResponse: (status: number) => void
}

/** What serves a path. */
export interface Route extends Owner {
  readonly handler: HttpHandler
  /** The requests that have come to it and are not at their end. */
  readonly requests: Requests
}

/** What the exchanges of one listener share. */
export interface Shared {
  readonly log: Log
  readonly unanswered: Unanswered
  readonly memory: BodyMemory
  readonly turns: Turns
  /** True once every answer closes its connection. */
  closing(): boolean
}

type Question = () => HttpResponse | Promise<HttpResponse>

/** Takes a request that came to a route: refuses it for its head, or reads its body and asks the route's handler. */
export function exchange(
  request: IncomingRequest,
  response: OutgoingAnswer,
  route: Route,
  shared: Shared,
): void {
  const { handler, requests } = route
  const received = receivedRequest(request)
  requests.begin()
  const refusal = objection(received, handler)
  if (refusal !== undefined) {
    void refuse(request, response, received, refusal, route, shared, requests.end)
    return
  }
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue()
  const ends = new Exchange(request, response, route, shared, received)
  const { 'content-length': length } = request.headers
  const limit = length === undefined ? handler.maxBodyBytes : Number(length)
  request.readBody(new RequestBody(limit, shared.memory, ends))
}

export const receivedRequest = ({ method = '', headers }: IncomingMessage): ReceivedRequest =>
  new ReceivedRequest(method, headers)

/**
 * A request whose body comes, and its answer. A sender that leaves before its body is whole has sent nothing; one that
 * leaves later changes nothing. A class, so that an event costs one object here and not a closure for each turn it can take.
 */
class Exchange implements BodyEnd, Work {
  private bodyBytes = 0
  private readonly connection: Connection
  /** Of the answer, once it is written. */
  private status: number | undefined = undefined

  constructor(
    private readonly request: IncomingRequest,
    private readonly response: OutgoingAnswer,
    private readonly route: Route,
    private readonly shared: Shared,
    private readonly received: ReceivedRequest,
  ) {
    this.connection = Connection.of(request.socket)
  }

  whole(body: Buffer): void {
    const { received } = this
    received.body = body
    received.receivedAt = Date.now()
    this.bodyBytes = body.length
    this.response.owed = true
    this.shared.unanswered.begin()
    this.connection.begin()
    this.shared.turns.take(this)
  }

  proceed(): void {
    const { received } = this
    let answer: HttpResponse | Promise<HttpResponse>
    try {
      answer = this.route.handler.handle(received)
    } catch (thrown) {
      this.failed(thrown)
      return
    }
    if (answer instanceof Promise)
      answer.then(
        (later) => this.answer(later),
        (thrown) => this.failed(thrown),
      )
    else this.answer(answer)
  }

  tooLarge(): void {
    this.refuseWith(() => this.route.handler.tooLarge(this.received))
  }

  noMemory(): void {
    this.refuseWith(() => this.route.handler.noMemory(this.received))
  }

  smallPieces(): void {
    this.refuseWith(() => problem(smallPieces()))
  }

  gone(): void {
    this.route.requests.end()
  }

  private refuseWith(question: Question): void {
    const { request, response, received, route, shared } = this
    void refuse(request, response, received, question, route, shared, route.requests.end)
  }

  private failed(thrown: unknown): void {
    this.tell(sourceFailed(thrown, this.received, this.route, this.shared.log))
    this.end()
  }

  private answer(answer: HttpResponse): void {
    try {
      this.tell(answer)
    } catch (thrown) {
      // It cannot be written: a header that HTTP does not allow.
      this.failed(thrown)
      return
    }
    this.end()
  }

  /** A sender that has gone is not answered, and not reported as answered. */
  private tell(answer: HttpResponse): void {
    if (!this.response.canBeSent) return
    this.status = answer.status
    respond(this.response, answer, this.shared.closing(), this.received.idInAnswer(answer.status))
    this.route.onResponse(answer.status)
  }

  private end(): void {
    this.shared.memory.release(this.bodyBytes)
    this.shared.unanswered.end()
    this.connection.end(this.status)
    this.route.requests.end()
  }
}

/** Answers a request whose body has not been read; `ended` is called once it is answered. Its promise never rejects. */
export async function refuse(
  request: IncomingRequest,
  response: OutgoingAnswer,
  received: ReceivedRequest,
  question: Question,
  owner: Owner,
  shared: Shared,
  ended?: () => void,
): Promise<void> {
  const end = () => shared.unanswered.end()
  const connection = Connection.of(request.socket)
  let status: number | undefined
  response.owed = true
  shared.unanswered.begin()
  connection.begin()
  const tell = (answer: HttpResponse) => {
    if (!response.canBeSent) return
    status = answer.status
    respondEarly(request, response, answer, shared.closing(), received.idInAnswer(answer.status))
    owner.onResponse(answer.status)
  }
  try {
    tell(await question())
  } catch (thrown) {
    tell(sourceFailed(thrown, received, owner, shared.log))
  }
  // While the rest of the body comes, a time-out of this request must not be answered a second time.
  if (request.closed) end()
  else request.once('close', end)
  connection.end(status)
  ended?.()
}

/** What speaks against reading the body. */
export function objection(head: HttpHead, handler: HttpHandler): Question | undefined {
  const { methods, maxBodyBytes } = handler
  if (!methods.includes(head.method)) return () => otherMethod(head.method, methods)
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

function otherMethod(method: string, methods: readonly string[]): HttpResponse {
  const allow = methods.join(', ')
  const error = new HeadgateError('HG_INTAKE_METHOD', `The method is ${method}; this path takes ${allow}.`)
  return problem(error, undefined, { allow })
}

const smallPieces = (): HeadgateError =>
  new HeadgateError('HG_INTAKE_SMALL_CHUNKS', 'The body comes in too many small pieces; send larger ones.')

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
