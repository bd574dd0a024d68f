import type { IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What was asked, as far as routes need it. */
export interface Asked {
  /** What stands where the path of the route has `{name}`. */
  readonly params: Readonly<{ [name: string]: string }>
  readonly query: URLSearchParams
  /** The JSON of the body; undefined where there is none. */
  readonly body: unknown
}

export interface Route {
  readonly method: Method
  /** As `/connectors/{name}/status`. */
  readonly path: string
  answer(asked: Asked): Answer | Stream | Promise<Answer>
}

export const get = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, answer })
export const post = (path: string, answer: Route['answer']): Route => ({ method: 'POST', path, answer })
export const put = (path: string, answer: Route['answer']): Route => ({ method: 'PUT', path, answer })

type Found =
  | { readonly route: Route; readonly params: Asked['params'] }
  /** The path exists, with these methods. */
  | { readonly allowed: readonly string[] }

/** The route for a request; undefined where there is nothing at the path. */
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

function match(pattern: string, path: string): Asked['params'] | undefined {
  const expected = pattern.split('/')
  const given = (path.length > 1 ? path.replace(/\/$/, '') : path).split('/')
  if (given.length !== expected.length) return undefined
  const params: { [name: string]: string } = {}
  for (const [index, part] of expected.entries()) {
    const found = given[index] as string
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

export interface Answer {
  readonly status: number
  readonly headers: Readonly<{ [name: string]: string }>
  readonly body: string
}

/** An answer that goes on until either side ends it. */
export interface Stream {
  readonly status: 200
  readonly headers: Answer['headers']
  /** Called with the response once its head is written; what it began ends with the response. */
  stream(response: Writable): void
}

export const text = (status: number, contentType: string, body: string): Answer => ({
  status,
  headers: { 'content-type': contentType },
  body,
})

export const json = (status: number, value: object): Answer =>
  text(status, 'application/json', JSON.stringify(value, undefined, 2))

export const nothing = (status: 202 | 204): Answer => ({ status, headers: {}, body: '' })

/** An error in the shape that Kafka Connect gives it. */
export const failure = (status: number, message: string, headers: Answer['headers'] = {}): Answer => {
  const answer = json(status, { error_code: status, message })
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

const MOST_BYTES = 1024 * 1024

/** The JSON that was sent, undefined where nothing was; or an answer that refuses it. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ readonly value: unknown } | { readonly refused: Answer }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MOST_BYTES)
      return {
        refused: failure(413, `The body is larger than ${MOST_BYTES} bytes.`, { connection: 'close' }),
      }
    chunks.push(chunk as Buffer)
  }
  if (bytes === 0) return { value: undefined }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) }
  } catch {
    return { refused: failure(400, 'The body is not JSON.') }
  }
}
