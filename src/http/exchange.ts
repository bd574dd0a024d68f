import type { IncomingMessage, ServerResponse } from 'node:http'
import { HeadgateError } from '../errors.js'
import type { BodyMemory, HttpAnswer, HttpHandler, HttpHead, Log } from '../plugin.js'
import { problem } from './problem.js'
import { readBody } from './request-body.js'
import type { Requests } from './requests.js'
import { respond, respondEarly } from './respond.js'
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
  /** True once every answer closes its connection. */
  closing(): boolean
}

type Question = () => HttpAnswer | Promise<HttpAnswer>

/**
 * One request and its answer. A sender that leaves before its body is whole has sent nothing; one that leaves later
 * changes nothing.
 */
export function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  shared: Shared,
): void {
  const { method = '', headers, httpVersion, socket } = request
  const { handler, requests } = route
  requests.begin()
  const head: HttpHead = { method, headers }
  const refusal = objection(head, handler)
  if (refusal !== undefined) {
    refuse(request, response, refusal, route, shared, requests.end)
    return
  }
  if (headers.expect !== undefined && httpVersion === '1.1') response.writeContinue()
  readBody(request, handler.maxBodyBytes, shared.memory, {
    whole(body) {
      shared.unanswered.begin(socket)
      void conclude(
        () => handler.handle({ method, headers, body, receivedAt: Date.now() }),
        response,
        route,
        shared,
        (answer) => respond(response, answer, shared.closing()),
        () => {
          shared.memory.release(body.length)
          shared.unanswered.end(socket)
          requests.end()
        },
      )
    },
    tooLarge: () => refuse(request, response, () => handler.tooLarge(head), route, shared, requests.end),
    noMemory: () => refuse(request, response, () => handler.noMemory(head), route, shared, requests.end),
    gone: requests.end,
  })
}

/** Answers a request whose body has not been read; `ended` is called once it is answered. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  question: Question,
  owner: Owner,
  shared: Shared,
  ended?: () => void,
): void {
  const { socket } = request
  const end = () => shared.unanswered.end(socket)
  shared.unanswered.begin(socket)
  void conclude(
    question,
    response,
    owner,
    shared,
    (answer) => respondEarly(request, response, answer, shared.closing()),
    () => {
      // While the rest of the body comes, a time-out of this request must not be answered a second time.
      if (request.closed) end()
      else request.once('close', end)
      ended?.()
    },
  )
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

function otherMethod(method: string, methods: readonly string[]): HttpAnswer {
  const allow = methods.join(', ')
  const error = new HeadgateError('HG_INTAKE_METHOD', `The method is ${method}; this path takes ${allow}.`)
  return problem(error, undefined, { allow })
}

/** Never rejects. A sender that has gone is not answered, and not reported as answered. */
async function conclude(
  question: Question,
  response: ServerResponse,
  { pipeline, onResponse }: Owner,
  { log }: Shared,
  write: (answer: HttpAnswer) => void,
  done: () => void,
): Promise<void> {
  const tell = (answer: HttpAnswer) => {
    if (response.destroyed) return
    write(answer)
    onResponse(answer.status)
  }
  try {
    tell(await question())
  } catch (thrown) {
    const message = `The source of pipeline "${pipeline}" failed.`
    log.error({ pipeline, code: 'HG_PLUGIN_FAILED', err: thrown }, message)
    tell(problem(new HeadgateError('HG_PLUGIN_FAILED', message)))
  }
  done()
}
