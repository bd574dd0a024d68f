import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TokenCredentials, TokenEndpoint } from './cxone-tokens.js'

type Headers = { readonly [name: string]: string }

/**
 * Replaces the normal response of the API by another response, a reset of the connection, or silence until the client times out.
 * Undefined: the normal response.
 */
export type Fault =
  | { readonly status: number; readonly headers?: Headers; readonly body?: string }
  | 'reset'
  | 'hang'
  | undefined

export interface CxoneOptions extends TokenCredentials {
  /** 0, the default, for any free port. */
  readonly port?: number
  /** Seconds; the default of 5 makes tokens expire in the middle of a short run. */
  readonly tokenLifetime?: number
  /** One fault per acknowledge request, in order; after the last one there are no more. */
  readonly faults?: Iterable<Fault>
  /** Called with each id that is acknowledged with a valid token, every time. */
  readonly onAcknowledged?: (id: string) => void
}

interface CxoneReport {
  /** How often each id was acknowledged with a valid token; from the second time on, the response is 409. */
  readonly acknowledged: { readonly [id: string]: number }
  /** Responses of the acknowledge endpoint by status; `reset` and `hang` if there was no response. */
  readonly responses: { readonly [status: string]: number }
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
  /** The last acknowledge request, without its body. */
  readonly lastRequest: Pick<IncomingMessage, 'method' | 'url' | 'headers'> | undefined
  /** Replaces the remaining faults of an endpoint: one fault per request from now on. */
  script(endpoint: 'acknowledge' | 'token', faults: Iterable<Fault>): void
  revokeTokens(): void
  /** Also served as `GET /simulator/report`. */
  report(): CxoneReport
  /** Ends at once, without waiting for open requests. */
  close(): Promise<void>
}

const ACKNOWLEDGE = /^\/api\/v2\/data\/actions\/([^/?]+)\/acknowledge$/

/** Starts the part of CXone that Headgate talks to, as its tutorial describes it: tokens and acknowledgements. */
export async function startCxone(options: CxoneOptions): Promise<Cxone> {
  const cxone = new CxoneServer(options)
  await cxone.listen(options.port ?? 0)
  return cxone
}

class CxoneServer implements Cxone {
  readonly acknowledged = new Map<string, number>()
  readonly responses = new Map<string, number>()
  readonly #tokens: TokenEndpoint
  readonly #scripts: { acknowledge: Iterator<Fault>; token: Iterator<Fault> }
  readonly #onAcknowledged: CxoneOptions['onAcknowledged']
  readonly #server = createServer((request, response) => this.#handle(request, response))
  #url = ''
  #tokenRequests = 0
  #lastRequest: IncomingMessage | undefined

  constructor(options: CxoneOptions) {
    this.#tokens = new TokenEndpoint(options, options.tokenLifetime ?? 5)
    this.#scripts = { acknowledge: iterate(options.faults ?? []), token: iterate([]) }
    this.#onAcknowledged = options.onAcknowledged
  }

  get url(): string {
    return this.#url
  }

  get tokenRequests(): number {
    return this.#tokenRequests
  }

  get tokensIssued(): number {
    return this.#tokens.issued
  }

  get lastRequest(): IncomingMessage | undefined {
    return this.#lastRequest
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address() as AddressInfo
    this.#url = `http://127.0.0.1:${address.port}`
  }

  script(endpoint: 'acknowledge' | 'token', faults: Iterable<Fault>): void {
    this.#scripts[endpoint] = iterate(faults)
  }

  revokeTokens(): void {
    this.#tokens.revokeAll()
  }

  report(): CxoneReport {
    return {
      acknowledged: Object.fromEntries(this.acknowledged),
      responses: Object.fromEntries(this.responses),
      tokenRequests: this.#tokenRequests,
      tokensIssued: this.tokensIssued,
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '' } = request
    const id = ACKNOWLEDGE.exec(url)?.[1]
    if (id !== undefined && method === 'POST') {
      request.resume()
      this.#lastRequest = request
      const result =
        injectFault(response, this.#scripts.acknowledge) ?? this.#acknowledge(id, request, response)
      this.responses.set(result, (this.responses.get(result) ?? 0) + 1)
    } else if (url === '/oauth/token' && method === 'POST') {
      this.#tokenRequests++
      if (injectFault(response, this.#scripts.token) === undefined) this.#issueToken(request, response)
      else request.resume()
    } else {
      request.resume()
      if (url === '/simulator/report' && method === 'GET') json(response, 200, this.report())
      else if (id !== undefined || url === '/oauth/token')
        json(response, 405, { error: 'method_not_allowed' }, { allow: 'POST' })
      else json(response, 404, { error: 'not_found' })
    }
  }

  /** Returns the status of the response, for the count. */
  #acknowledge(encodedId: string, request: IncomingMessage, response: ServerResponse): string {
    if (!this.#tokens.valid(request.headers.authorization)) {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
      return json(response, 401, { error: 'invalid_token' }, headers)
    }
    const id = decode(encodedId)
    if (id === undefined) return json(response, 400, { error: 'bad_encoding' })
    const times = (this.acknowledged.get(id) ?? 0) + 1
    this.acknowledged.set(id, times)
    this.#onAcknowledged?.(id)
    if (times > 1) return json(response, 409, { error: 'already_acknowledged' })
    return json(response, 200, { status: 'acknowledged' })
  }

  #issueToken(request: IncomingMessage, response: ServerResponse): void {
    this.#tokens.respond(request).then(
      ({ status, body, headers }) => json(response, status, body, headers),
      // The client disconnected before it had sent its whole form.
      () => response.destroy(),
    )
  }
}

/** Endless faults at fixed intervals: after so many requests one 429 with a Retry-After of a second, or one 503. */
export function* periodicFaults(every: {
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

/** Injects the next fault of the script and returns its name for the count; undefined if there is none. */
function injectFault(response: ServerResponse, script: Iterator<Fault>): string | undefined {
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
