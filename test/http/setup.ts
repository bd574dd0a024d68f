import { Agent, request } from 'undici'
import { onTestFinished } from 'vitest'
import type { HttpHandler, HttpRequest, HttpResponse } from '../../src/contract/index.js'
import { Listener, type ListenerOptions } from '../../src/http/listener.js'
import { testContext } from '../helpers/context.js'

export const ok = (body: string): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'text/plain' },
  body,
})

/** Answers with the body that it got, and remembers the requests. */
export function echo(overrides: Partial<HttpHandler> = {}) {
  const requests: HttpRequest[] = []
  const handler: HttpHandler = {
    methods: ['POST'],
    maxBodyBytes: 1024,
    head: () => undefined,
    async handle(request) {
      requests.push(request)
      return ok(request.body.toString())
    },
    tooLarge: async () => ({ status: 413, headers: {}, body: 'too large' }),
    noMemory: async () => ({ status: 503, headers: { 'retry-after': '5' }, body: 'no memory' }),
    ...overrides,
  }
  return { handler, requests }
}

/** A handler whose responses come when the test says so. */
export function held(overrides: Partial<HttpHandler> = {}) {
  const waiting: ((response: HttpResponse) => void)[] = []
  const { handler } = echo({ handle: () => new Promise((resolve) => waiting.push(resolve)), ...overrides })
  return { handler, waiting }
}

/** `handler` at /in, for a pipeline named orders. */
export async function listen(handler: HttpHandler, options: Partial<ListenerOptions> = {}) {
  const context = testContext()
  const statuses = { pipeline: [] as number[], nobody: [] as number[] }
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    log: context.log,
    onResponse: (status) => statuses.nobody.push(status),
    ...options,
  })
  const http = listener.bind('orders', (status) => statuses.pipeline.push(status))
  const unserve = http.serve('/in', handler)
  const { url, port } = await listener.open()
  onTestFinished(async () => {
    listener.closeNow()
    await listener.close()
  })
  // Which certificate is shown is no matter of these tests.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  onTestFinished(() => dispatcher.destroy())
  const post = async (path: string, body: string | Buffer, method: 'POST' | 'GET' | 'PUT' = 'POST') => {
    const response = await request(`${url}${path}`, {
      method,
      body: method === 'GET' ? null : body,
      dispatcher,
    })
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
  }
  return { listener, http, unserve, url, port, post, statuses, ...context }
}
