import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HeadgateError } from '../errors.js'

/** What the admin listener shows. */
export interface Shown {
  /** Why the process cannot take events now; empty when it can. */
  notReady(): readonly string[]
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** For people who ask /ready what runs. */
  readonly details: () => object
}

export interface Admin {
  readonly url: string
  close(): Promise<void>
}

type Answer = readonly [status: number, contentType: string, body: string]
type Route = () => Answer | Promise<Answer>

const JSON_TYPE = 'application/json'

/** Opens the listener for operators: /health, /ready and /metrics. Errors are shaped as Kafka Connect's. */
export async function openAdmin(host: string, port: number, shown: Shown): Promise<Admin> {
  const routes: { readonly [path: string]: Route } = {
    '/health': () => [200, JSON_TYPE, JSON.stringify({ status: 'UP' })],
    '/ready': () => {
      const reasons = shown.notReady()
      const ready = reasons.length === 0
      return [
        ready ? 200 : 503,
        JSON_TYPE,
        JSON.stringify({ ready, reasons, ...shown.details() }, undefined, 2),
      ]
    },
    '/metrics': async () => {
      const { contentType, text } = await shown.metrics()
      return [200, contentType, text]
    },
  }
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
  { url = '/', method }: IncomingMessage,
): Promise<Answer> {
  const path = url.split('?', 1)[0] as string
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined)
    return failure(404, `There is nothing at ${path}; try ${Object.keys(routes).join(', ')}.`)
  if (method !== 'GET' && method !== 'HEAD') return failure(405, 'Only GET is answered here.')
  return route()
}

const failure = (status: number, message: string): Answer => [
  status,
  JSON_TYPE,
  JSON.stringify({ error_code: status, message }),
]

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...(status === 405 && { allow: 'GET, HEAD' }),
  })
  response.end(body)
}
