import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Log } from '../contract/index.js'
import { Connection } from '../http/connection.js'
import { ConnectionLimit } from '../http/connection-limit.js'
import { type ListenAt, listen, whenAccepted } from '../http/listen.js'
import { createHttpServer, logAcceptErrors, type Secure } from '../http/server.js'
import { type AccessCheck, createAccess } from './access.js'
import {
  type AdminResponse,
  errorResponse,
  findRoute,
  get,
  json,
  post,
  type Route,
  readBody,
  type StreamedResponse,
  text,
} from './routes.js'

/** The parts of the process that the admin listener shows and acts on. */
export interface AdminHost {
  /** Why the process cannot take events now; empty if it can. */
  notReady(): readonly string[]
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Shown by /ready: the running config and pipelines. */
  details(): object
  /** The ledgers by pipeline. */
  ledgers(): Promise<object>
  /** Makes the failed acknowledgements of every pipeline pending again. */
  retryFailed(): Promise<object>
  /** Runs the config that the file has now; `problem` if it cannot be used. */
  reload(): Promise<{ readonly done: object } | { readonly problem: object }>
}

export interface AdminOptions extends ListenAt {
  /** Path of the token file; `none` if only the open paths are served; empty if it is not set. */
  readonly tokenFile: string
  /** Those of /health, /ready and /metrics that need no token. */
  readonly open: readonly string[]
  readonly log: Log
  /** Serves HTTPS. */
  readonly secure?: Secure | undefined
}

/** Operators and their tools are few. If more connections come, idle ones are closed to make room. */
const MOST_CONNECTIONS = 100
/** Requests in flight that need a token. The remaining connections are kept for probes. */
const MOST_IN_FLIGHT = 80
/** In milliseconds. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }

/** Milliseconds for open requests at the end, if another process takes over: a probe must not fail because of that. */
const LINGER = 500

/** Opens the listener and serves `host` at once, with `routes` besides its own. Rejects like `Admin.open`. */
export async function openAdmin(
  options: AdminOptions,
  host: AdminHost,
  routes: readonly Route[] = [],
): Promise<Admin> {
  const admin = await Admin.open(options, () => [])
  admin.serve(host, routes)
  return admin
}

/**
 * The listener for operators. Errors have the shape that Kafka Connect gives them. Until `serve` is called it responds to
 * probes only, and to every other path with "Headgate is starting".
 */
export class Admin {
  readonly #options: AdminOptions
  readonly #check: AccessCheck
  readonly #limit = new ConnectionLimit(MOST_CONNECTIONS, { onRefused() {}, onEvicted() {} })
  readonly #server: Server
  readonly #probes: readonly Route[]
  #routes: readonly Route[] | undefined
  #inFlight = 0
  #url = ''

  private constructor(options: AdminOptions, check: AccessCheck, notReady: AdminHost['notReady']) {
    this.#options = options
    this.#check = check
    this.#probes = probeRoutes({ notReady, details: () => ({}) })
    this.#server = createHttpServer(TIMEOUTS, options.secure, this.#limit).server
    this.#server.on('request', (request, response) => this.#onRequest(request, response))
  }

  /** Rejects with HG_LISTEN_FAILED, HG_ADMIN_EXPOSED or HG_ADMIN_TOKEN. */
  static async open(options: AdminOptions, notReady: AdminHost['notReady']): Promise<Admin> {
    const admin = new Admin(options, await createAccess(options), notReady)
    const { port } = await listen(admin.#server, options, 'HEADGATE_ADMIN_HOST')
    logAcceptErrors(admin.#server, options.log)
    const { host, secure } = options
    admin.#url = `${secure === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    return admin
  }

  get url(): string {
    return this.#url
  }

  serve(host: AdminHost, routes: readonly Route[]): void {
    this.#routes = [...ownRoutes(host), ...routes]
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const destroyConnections = () => {
        for (const connection of this.#limit.open) connection.destroy()
      }
      if (!this.#options.reusePort) {
        this.#server.close(() => resolve())
        destroyConnections()
        return
      }
      whenAccepted(this.#server, () => {
        const lingering = setTimeout(destroyConnections, LINGER)
        this.#server.close(() => {
          clearTimeout(lingering)
          resolve()
        })
      })
    })
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = Connection.of(request.socket)
    let begun = false
    const begin = () => {
      begun = true
      this.#inFlight++
      connection.begin()
      response.once('close', () => {
        this.#inFlight--
        connection.end(response.statusCode)
      })
    }
    this.#respond(request, begin)
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'a request to the admin listener failed')
        return errorResponse(500, 'An unexpected error; the log has the reason.')
      })
      .then((result) => send(response, result, !begun))
  }

  /** `begin` is called before the body is read: neither a refused request nor an open path gets that far. */
  async #respond(request: IncomingMessage, begin: () => void): Promise<AdminResponse | StreamedResponse> {
    const { url = '/', method = 'GET' } = request
    const [path = '/', query] = url.split('?', 2)
    const refused = await this.#check(request, path)
    if (refused !== undefined) return refused
    const found = findRoute(this.#routes ?? this.#probes, method, path)
    if (found === undefined) return this.#notFound(path)
    if ('allowed' in found) {
      const allowed = found.allowed.join(', ')
      return errorResponse(405, `The method ${method} is not allowed here; allowed: ${allowed}.`, {
        allow: allowed,
      })
    }
    const { params, route } = found
    const target = { params, query: new URLSearchParams(query), headers: request.headers }
    if (this.#options.open.includes(path)) return route.handle({ ...target, body: undefined })
    if (this.#inFlight >= MOST_IN_FLIGHT) return tooMany()
    begin()
    const body = await readBody(request)
    if ('refused' in body) return body.refused
    return route.handle({ ...target, body: body.value })
  }

  #notFound(path: string): AdminResponse {
    if (this.#routes === undefined) return errorResponse(503, 'Headgate is starting.', { 'retry-after': '1' })
    const paths = [...new Set(this.#routes.map((route) => route.path))].join(', ')
    return errorResponse(404, `There is nothing at ${path}; try ${paths}.`)
  }
}

const tooMany = (): AdminResponse =>
  errorResponse(503, 'Too many requests are in flight; the other connections are kept for probes.', {
    'retry-after': '1',
  })

const probeRoutes = (host: Pick<AdminHost, 'notReady' | 'details'>): Route[] => [
  get('/health', () => json(200, { status: 'UP' })),
  get('/ready', () => {
    const reasons = host.notReady()
    const ready = reasons.length === 0
    return json(ready ? 200 : 503, { ready, reasons, ...host.details() })
  }),
]

const ownRoutes = (host: AdminHost): Route[] => [
  ...probeRoutes(host),
  get('/metrics', async () => {
    const { contentType, text: metrics } = await host.metrics()
    return text(200, contentType, metrics)
  }),
  get('/ledger', async () => json(200, await host.ledgers())),
  post('/ledger/retry', async () => json(200, await host.retryFailed())),
  post('/config/reload', async () => {
    const result = await host.reload()
    if ('done' in result) return json(200, result.done)
    return text(422, 'application/problem+json', JSON.stringify(result.problem, undefined, 2))
  }),
]

/** `close`: the body has not been read, and the sender must not keep the connection. */
function send(response: ServerResponse, result: AdminResponse | StreamedResponse, close: boolean): void {
  const body = 'body' in result ? result.body : undefined
  const hasLength = body !== undefined && result.status !== 204 && result.status !== 304
  response.writeHead(result.status, {
    'cache-control': 'no-store',
    ...result.headers,
    ...(hasLength && { 'content-length': Buffer.byteLength(body) }),
    ...(close && { connection: 'close' }),
    'x-content-type-options': 'nosniff',
  })
  if ('body' in result || response.req.method === 'HEAD') response.end(body)
  else {
    result.stream(response)
    // A client that ends its side of a stream has disconnected.
    response.req.socket.once('end', () => response.destroy())
  }
}
