import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HeadgateError } from '../errors.js'
import { isLoopback } from '../http/loopback.js'

/** What the admin listener shows. */
export interface Shown {
  /** Why the process cannot take events now; empty when it can. */
  notReady(): readonly string[]
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** For people who ask /ready what runs. */
  details(): object
  /** The ledgers by pipeline. */
  ledgers(): object
  /** Owes anew, in every pipeline, what was given up. */
  retryFailed(): object
}

export interface Admin {
  readonly url: string
  close(): Promise<void>
}

type Answer = readonly [status: number, contentType: string, body: string]

interface Route {
  readonly method: 'GET' | 'POST'
  answer(): Answer | Promise<Answer>
}

const JSON_TYPE = 'application/json'

const get = (answer: Route['answer']): Route => ({ method: 'GET', answer })
const json = (status: number, value: object): Answer => [
  status,
  JSON_TYPE,
  JSON.stringify(value, undefined, 2),
]

/** Opens the listener for operators. Errors are shaped as Kafka Connect's. Rejects with HG_LISTEN_FAILED. */
export async function openAdmin(host: string, port: number, shown: Shown): Promise<Admin> {
  const open: { readonly [path: string]: Route } = {
    '/health': get(() => json(200, { status: 'UP' })),
    '/ready': get(() => {
      const reasons = shown.notReady()
      const ready = reasons.length === 0
      return json(ready ? 200 : 503, { ready, reasons, ...shown.details() })
    }),
    '/metrics': get(async () => {
      const { contentType, text } = await shown.metrics()
      return [200, contentType, text]
    }),
  }
  // These show and change events. There is no way yet to ask who is asking.
  const local: { readonly [path: string]: Route } = {
    '/ledger': get(() => json(200, shown.ledgers())),
    '/ledger/retry': { method: 'POST', answer: () => json(200, shown.retryFailed()) },
  }
  const routes = isLoopback(host) ? { ...open, ...local } : open
  const server = createServer((request, response) => {
    void answer(routes, request).then(([status, contentType, body]) =>
      send(response, status, contentType, body),
    )
  })
  server.listen(port, host)
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (cause) => {
      const message = `Cannot listen on ${host}:${port}: ${cause.message}.`
      reject(new HeadgateError('HG_LISTEN_FAILED', message, { cause }))
    })
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  routes: { readonly [path: string]: Route },
  { url = '/', method = 'GET' }: IncomingMessage,
): Promise<Answer> {
  const path = url.split('?', 1)[0] as string
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined)
    return failure(404, `There is nothing at ${path}; try ${Object.keys(routes).join(', ')}.`)
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET')) {
    return failure(405, `Only ${route.method} is answered here.`)
  }
  return route.answer()
}

const failure = (status: number, message: string): Answer => json(status, { error_code: status, message })

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
