import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTokenEndpoint, type TokenCredentials } from './cxone-tokens.js'

type Headers = { readonly [name: string]: string }

/**
 * What is done instead of answering as the API would: an answer, a connection that is reset, or silence until the
 * other side loses patience. Undefined: nothing, the request takes its normal course.
 */
export type Fault =
  | { readonly status: number; readonly headers?: Headers; readonly body?: string }
  | 'reset'
  | 'hang'
  | undefined

export interface CxoneOptions extends TokenCredentials {
  /** 0, the default, for any free one. */
  readonly port?: number
  /** Seconds; the default of 5 makes tokens expire in the middle of a short run. */
  readonly tokenLifetime?: number
  /** One for each acknowledge request, in order; when they are used up, there are no more faults. */
  readonly faults?: Iterable<Fault>
  /** Called with each id that is acknowledged with a valid token, every time. */
  readonly onAcknowledged?: (id: string) => void
}

interface CxoneReport {
  /** How often each id was acknowledged with a valid token; from the second time on, the answer is 409. */
  readonly acknowledged: { readonly [id: string]: number }
  /** Answers of the acknowledge endpoint by status; `reset` and `hang` for those without one. */
  readonly answers: { readonly [status: string]: number }
  readonly tokenRequests: number
  readonly tokensIssued: number
}

/** A CXone that listens on loopback. */
export interface Cxone {
  readonly url: string
  readonly acknowledged: ReadonlyMap<string, number>
  readonly responses: ReadonlyMap<string, number>
  readonly tokenRequests: number
  readonly tokensIssued: number
  /** Head of the last acknowledge request. */
  readonly lastRequest: Pick<IncomingMessage, 'method' | 'url' | 'headers'> | undefined
  /** Replaces the faults that an endpoint still has before it: one for each of the requests to come. */
  script(endpoint: 'acknowledge' | 'token', faults: Iterable<Fault>): void
  revokeTokens(): void
  /** Also served as `GET /simulator/report`. */
  report(): CxoneReport
  /** Ends at once, whatever is under way. */
  close(): Promise<void>
}

const ACKNOWLEDGE = /^\/api\/v2\/data\/actions\/([^/?]+)\/acknowledge$/

/** Starts the part of CXone that Headgate talks to, as its tutorial describes it: tokens and acknowledgements. */
export async function startCxone(options: CxoneOptions): Promise<Cxone> {
  const tokens = createTokenEndpoint(options, options.tokenLifetime ?? 5)
  const acknowledged = new Map<string, number>()
  const answers = new Map<string, number>()
  const scripts = { acknowledge: iterate(options.faults ?? []), token: iterate([]) }
  let tokenRequests = 0
  let lastRequest: IncomingMessage | undefined

  const server = createServer((request, response) => {
    const { method, url = '' } = request
    const id = ACKNOWLEDGE.exec(url)?.[1]
    if (id !== undefined && method === 'POST') {
      request.resume()
      lastRequest = request
      const outcome = misbehave(response, scripts.acknowledge) ?? acknowledge(id, request, response)
      answers.set(outcome, (answers.get(outcome) ?? 0) + 1)
    } else if (url === '/oauth/token' && method === 'POST') {
      tokenRequests++
      if (misbehave(response, scripts.token) === undefined) issueToken(request, response)
      else request.resume()
    } else {
      request.resume()
      if (url === '/simulator/report' && method === 'GET') json(response, 200, report())
      else if (id !== undefined || url === '/oauth/token')
        json(response, 405, { error: 'method_not_allowed' }, { allow: 'POST' })
      else json(response, 404, { error: 'not_found' })
    }
  })

  /** Says what became of it, for counting. */
  function acknowledge(encodedId: string, request: IncomingMessage, response: ServerResponse): string {
    if (!tokens.valid(request.headers.authorization)) {
      return json(
        response,
        401,
        { error: 'invalid_token' },
        { 'www-authenticate': 'Bearer error="invalid_token"' },
      )
    }
    const id = decode(encodedId)
    if (id === undefined) return json(response, 400, { error: 'bad_encoding' })
    const times = (acknowledged.get(id) ?? 0) + 1
    acknowledged.set(id, times)
    options.onAcknowledged?.(id)
    if (times > 1) return json(response, 409, { error: 'already_acknowledged' })
    return json(response, 200, { status: 'acknowledged' })
  }

  function issueToken(request: IncomingMessage, response: ServerResponse): void {
    tokens.respond(request).then(
      ({ status, body, headers }) => json(response, status, body, headers),
      // The client went away in the middle of its form.
      () => response.destroy(),
    )
  }

  const report = (): CxoneReport => ({
    acknowledged: Object.fromEntries(acknowledged),
    answers: Object.fromEntries(answers),
    tokenRequests,
    tokensIssued: tokens.issued(),
  })

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    acknowledged,
    responses: answers,
    get tokenRequests() {
      return tokenRequests
    },
    get tokensIssued() {
      return tokens.issued()
    },
    get lastRequest() {
      return lastRequest
    },
    script(endpoint, faults) {
      scripts[endpoint] = iterate(faults)
    },
    revokeTokens: tokens.revokeAll,
    report,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Faults without end, at fixed distances: every so many requests one 429 that asks for a second, or one 503. */
export function* nowAndThen(every: {
  readonly throttled: number
  readonly unavailable: number
}): Iterable<Fault> {
  for (let count = 1; ; count++) {
    if (count % every.throttled === 0) yield { status: 429, headers: { 'retry-after': '1' } }
    else if (count % every.unavailable === 0) yield { status: 503 }
    else yield undefined
  }
}

const iterate = (faults: Iterable<Fault>): Iterator<Fault> => faults[Symbol.iterator]()

/** Does what the script has next and says what, for counting; undefined when that is nothing. */
function misbehave(response: ServerResponse, script: Iterator<Fault>): string | undefined {
  const { done, value: fault } = script.next()
  if (done || fault === undefined) return undefined
  if (fault === 'hang') return 'hang'
  if (fault === 'reset') {
    response.socket?.resetAndDestroy()
    return 'reset'
  }
  response.writeHead(fault.status, fault.headers).end(fault.body)
  return String(fault.status)
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function json(response: ServerResponse, status: number, body: object, headers?: Headers): string {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
  return String(status)
}
