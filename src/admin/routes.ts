import type { Answer, Stream } from './answer.js'

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

export type Found =
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
