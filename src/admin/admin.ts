import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../contract/index.js'
import { Connection } from '../http/connection.js'
import { ConnectionLimit } from '../http/connection-limit.js'
import { type ListenAt, listen, whenAccepted } from '../http/listen.js'
import { createHttpServer, logAcceptErrors, type Secure } from '../http/server.js'
import { createAccess } from './access.js'
import {
  type Answer,
  failure,
  findRoute,
  get,
  json,
  post,
  type Route,
  readBody,
  type Stream,
  text,
} from './routes.js'

/** What the admin listener shows. */
export interface Shown {
  /** Why the process cannot take events now; empty when it can. */
  notReady(): readonly string[]
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** For people who ask /ready what runs. */
  details(): object
  /** The ledgers by pipeline. */
  ledgers(): Promise<object>
  /** Owes anew, in every pipeline, what was given up. */
  retryFailed(): object
  /** Makes what the config file says now what runs; `problem` where that cannot be. */
  reload(): Promise<{ readonly done: object } | { readonly problem: object }>
}

export interface AdminOptions extends ListenAt {
  /** Path of the file of tokens; `none` where only the open paths are served; empty where nothing was said. */
  readonly tokenFile: string
  /** Those of /health, /ready and /metrics that are answered without a token. */
  readonly open: readonly string[]
  readonly log: Log
  /** Speaks HTTPS. */
  readonly secure?: Secure | undefined
}

export interface Admin {
  readonly url: string
  close(): Promise<void>
}

/** An admin listener that answers probes, and says of everything else that Headgate is starting, until `serve` is called. */
export interface StartingAdmin extends Admin {
  serve(shown: Shown, more: readonly Route[]): void
}

/** Operators and their tools are few. If more connections come, those that wait make room. */
const MOST_CONNECTIONS = 100
/** Requests that want a token and are under way. The other places are kept for probes. */
const MOST_UNDER_WAY = 80
/** In milliseconds. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }

/** Milliseconds that requests under way have at the end, if another process takes over: a probe must not fail for that. */
const LINGER = 500

/**
 * Opens the listener for operators; `more` is served beside what Headgate shows itself. Errors are shaped as Kafka
 * Connect's. Rejects with HG_LISTEN_FAILED, HG_ADMIN_EXPOSED or HG_ADMIN_TOKEN.
 */
export async function openAdmin(
  options: AdminOptions,
  shown: Shown,
  more: readonly Route[] = [],
): Promise<Admin> {
  const admin = await openStartingAdmin(options, () => [])
  admin.serve(shown, more)
  return admin
}

/** As `openAdmin`, before there is anything to show but why Headgate is not ready. */
export async function openStartingAdmin(
  options: AdminOptions,
  notReady: Shown['notReady'],
): Promise<StartingAdmin> {
  const { host, log, reusePort } = options
  const refuse = await createAccess(options)
  let routes: readonly Route[] | undefined
  const probes = probeRoutes({ notReady, details: () => ({}) })

  let underWay = 0

  /** `begin` is called before anything is read of the body, which no stranger's request and no open path comes to. */
  async function answer(request: IncomingMessage, begin: () => void): Promise<Answer | Stream> {
    const { url = '/', method = 'GET' } = request
    const [path = '/', query] = url.split('?', 2)
    const refused = await refuse(request, path)
    if (refused !== undefined) return refused
    const found = findRoute(routes ?? probes, method, path)
    if (found === undefined) {
      if (routes === undefined) return failure(503, 'Headgate is starting.', { 'retry-after': '1' })
      const paths = [...new Set(routes.map((route) => route.path))].join(', ')
      return failure(404, `There is nothing at ${path}; try ${paths}.`)
    }
    if ('allowed' in found) {
      const allowed = found.allowed.join(', ')
      return failure(405, `Only ${allowed} is answered here.`, { allow: allowed })
    }
    const { params, route } = found
    const asked = { params, query: new URLSearchParams(query) }
    if (options.open.includes(path)) return route.answer({ ...asked, body: undefined })
    if (underWay >= MOST_UNDER_WAY) return tooMany()
    begin()
    const body = await readBody(request)
    if ('refused' in body) return body.refused
    return route.answer({ ...asked, body: body.value })
  }
  const limit = new ConnectionLimit(MOST_CONNECTIONS, { onRefused() {}, onEvicted() {} })
  const { server } = createHttpServer(TIMEOUTS, options.secure, limit)
  server.on('request', (request, response) => {
    const connection = Connection.of(request.socket)
    let begun = false
    const begin = () => {
      begun = true
      underWay++
      connection.begin()
      response.once('close', () => {
        underWay--
        connection.end(response.statusCode)
      })
    }
    answer(request, begin)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request to the admin listener failed')
        return failure(500, 'This failed in a way it should not; the log has the reason.')
      })
      .then((given) => send(response, given, !begun))
  })
  const { port: bound } = await listen(server, options, 'HEADGATE_ADMIN_HOST')
  logAcceptErrors(server, log)
  return {
    url: `${options.secure === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    serve(shown, more) {
      routes = [...ownRoutes(shown), ...more]
    },
    close: () =>
      new Promise((resolve) => {
        const cut = () => {
          for (const connection of limit.open) connection.destroy()
        }
        if (!reusePort) {
          server.close(() => resolve())
          cut()
          return
        }
        whenAccepted(server, () => {
          const lingering = setTimeout(cut, LINGER)
          server.close(() => {
            clearTimeout(lingering)
            resolve()
          })
        })
      }),
  }
}

const tooMany = (): Answer =>
  failure(503, 'Too many requests are under way; the other connections are kept for probes.', {
    'retry-after': '1',
  })

const probeRoutes = (shown: Pick<Shown, 'notReady' | 'details'>): Route[] => [
  get('/health', () => json(200, { status: 'UP' })),
  get('/ready', () => {
    const reasons = shown.notReady()
    const ready = reasons.length === 0
    return json(ready ? 200 : 503, { ready, reasons, ...shown.details() })
  }),
]

const ownRoutes = (shown: Shown): Route[] => [
  ...probeRoutes(shown),
  get('/metrics', async () => {
    const { contentType, text: metrics } = await shown.metrics()
    return text(200, contentType, metrics)
  }),
  get('/ledger', async () => json(200, await shown.ledgers())),
  post('/ledger/retry', () => json(200, shown.retryFailed())),
  post('/config/reload', async () => {
    const came = await shown.reload()
    if ('done' in came) return json(200, came.done)
    return text(422, 'application/problem+json', JSON.stringify(came.problem, undefined, 2))
  }),
]

/** `close`: its body has not been read, and nobody is to hold the connection. */
function send(response: ServerResponse, given: Answer | Stream, close: boolean): void {
  const body = 'body' in given ? given.body : undefined
  response.writeHead(given.status, {
    ...given.headers,
    ...(body !== undefined && given.status !== 204 && { 'content-length': Buffer.byteLength(body) }),
    ...(close && { connection: 'close' }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  if ('body' in given || response.req.method === 'HEAD') response.end(body)
  else {
    given.stream(response)
    // A client that ends its side of a stream has left.
    response.req.socket.once('end', () => response.destroy())
  }
}
