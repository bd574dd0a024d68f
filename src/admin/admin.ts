import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHttpServer, type Secure } from '../http/http-server.js'
import { type ListenAt, listen } from '../http/listen.js'
import type { Log } from '../plugin.js'
import { createAccess } from './access.js'
import { type Answer, failure, json, type Stream, text } from './answer.js'
import { readBody } from './request-body.js'
import { findRoute, get, post, type Route } from './routes.js'

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

/** Operators and their tools are few; whoever opens more is none of them. */
const MOST_CONNECTIONS = 100
/** In milliseconds. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }

/**
 * Opens the listener for operators; `more` is served beside what Headgate shows itself. Errors are shaped as Kafka
 * Connect's. Rejects with HG_LISTEN_FAILED, HG_ADMIN_EXPOSED or HG_ADMIN_TOKEN.
 */
export async function openAdmin(
  options: AdminOptions,
  shown: Shown,
  more: readonly Route[] = [],
): Promise<Admin> {
  const { host, log } = options
  const refuse = await createAccess(options)
  const routes = [...ownRoutes(shown), ...more]

  async function answer(request: IncomingMessage): Promise<Answer | Stream> {
    const { url = '/', method = 'GET' } = request
    const [path = '/', query] = url.split('?', 2)
    const refused = await refuse(request, path)
    if (refused !== undefined) return refused
    const found = findRoute(routes, method, path)
    if (found === undefined) {
      const paths = [...new Set(routes.map((route) => route.path))].join(', ')
      return failure(404, `There is nothing at ${path}; try ${paths}.`)
    }
    if ('allowed' in found) {
      const allowed = found.allowed.join(', ')
      return failure(405, `Only ${allowed} is answered here.`, { allow: allowed })
    }
    const body = await readBody(request)
    if ('refused' in body) return body.refused
    const { params, route } = found
    return route.answer({ params, query: new URLSearchParams(query), body: body.value })
  }
  const { server, connections } = createHttpServer(TIMEOUTS, options.secure)
  server.on('request', (request, response) => {
    answer(request)
      .catch((error: unknown) => {
        log.error({ err: error }, 'a request to the admin listener failed')
        return failure(500, 'This failed in a way it should not; the log has the reason.')
      })
      .then((given) => send(response, given))
  })
  server.maxConnections = MOST_CONNECTIONS
  const { port: bound } = await listen(server, options, 'HEADGATE_ADMIN_HOST')
  return {
    url: `${options.secure === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const connection of connections) connection.destroy()
      }),
  }
}

const ownRoutes = (shown: Shown): Route[] => [
  get('/health', () => json(200, { status: 'UP' })),
  get('/ready', () => {
    const reasons = shown.notReady()
    const ready = reasons.length === 0
    return json(ready ? 200 : 503, { ready, reasons, ...shown.details() })
  }),
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

function send(response: ServerResponse, given: Answer | Stream): void {
  const body = 'body' in given ? given.body : undefined
  response.writeHead(given.status, {
    ...given.headers,
    ...(body !== undefined && given.status !== 204 && { 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  if ('body' in given || response.req.method === 'HEAD') response.end(body)
  else given.stream(response)
}
