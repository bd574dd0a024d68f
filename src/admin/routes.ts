import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** The parts of a request that routes need. */
export interface AdminRequest {
  /** The segments of the path for which the route has `{name}`. */
  readonly params: Readonly<{ [name: string]: string }>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The JSON of the body; undefined if there is none. */
  readonly body: unknown
}

export interface Route {
  readonly method: Method
  /** As `/connectors/{name}/status`. */
  readonly path: string
  handle(request: AdminRequest): AdminResponse | StreamedResponse | Promise<AdminResponse>
}

export const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle })
export const post = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, handle })
export const put = (path: string, handle: Route['handle']): Route => ({ method: 'PUT', path, handle })

type Found =
  | { readonly route: Route; readonly params: AdminRequest['params'] }
  /** The path exists, with these methods. */
  | { readonly allowed: readonly string[] }

/** The route for a request; undefined if there is nothing at the path. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | undefined {
  const here = routes.flatMap((route) => {
    const params = match(route.path, path)
    return params === undefined ? [] : [{ route, params }]
  })
  if (here.length === 0) return undefined
  const wanted = method === 'HEAD' ? 'GET' : method
  return (
    here.find(({ route }) => route.method === wanted) ?? { allowed: here.map(({ route }) => route.method) }
  )
}

function match(pattern: string, path: string): AdminRequest['params'] | undefined {
  const expected = pattern.split('/')
  const segments = (path.length > 1 ? path.replace(/\/$/, '') : path).split('/')
  if (segments.length !== expected.length) return undefined
  const params: { [name: string]: string } = {}
  for (const [index, part] of expected.entries()) {
    const found = segments[index] as string
    if (!part.startsWith('{')) {
      if (found !== part) return undefined
      continue
    }
    const value = decoded(found)
    if (value === undefined || value === '') return undefined
    params[part.slice(1, -1)] = value
  }
  return params
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

export interface AdminResponse {
  readonly status: number
  readonly headers: Readonly<{ [name: string]: string }>
  readonly body: string
}

/** A response that continues until either side ends it. */
export interface StreamedResponse {
  readonly status: 200
  readonly headers: AdminResponse['headers']
  /** Called with the response once its head is written; the stream ends with the response. */
  stream(response: Writable): void
}

export const text = (status: number, contentType: string, body: string): AdminResponse => ({
  status,
  headers: { 'content-type': contentType },
  body,
})

export const json = (status: number, value: object): AdminResponse =>
  text(status, 'application/json', JSON.stringify(value, undefined, 2))

export const emptyResponse = (
  status: 202 | 204 | 303 | 304,
  headers: AdminResponse['headers'] = {},
): AdminResponse => ({ status, headers, body: '' })

/** An error in the shape that Kafka Connect gives it. */
export const errorResponse = (
  status: number,
  message: string,
  headers: AdminResponse['headers'] = {},
): AdminResponse => {
  const response = json(status, { error_code: status, message })
  return { ...response, headers: { ...response.headers, ...headers } }
}

const MOST_BYTES = 1024 * 1024

/** The JSON of the body, undefined if it is empty; or the response that refuses it. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ readonly value: unknown } | { readonly refused: AdminResponse }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MOST_BYTES)
      return {
        refused: errorResponse(413, `The body is larger than ${MOST_BYTES} bytes.`, { connection: 'close' }),
      }
    chunks.push(chunk as Buffer)
  }
  if (bytes === 0) return { value: undefined }
  const body = Buffer.concat(chunks)
  // As a text, other bytes would be changed: those of an edited dead letter, for example.
  if (!isUtf8(body)) return { refused: errorResponse(400, 'The body is not UTF-8.') }
  try {
    return { value: JSON.parse(body.toString('utf8')) }
  } catch {
    return { refused: errorResponse(400, 'The body is not JSON.') }
  }
}
