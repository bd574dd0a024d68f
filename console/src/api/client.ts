import { signal } from '@preact/signals'
import { EventSourceParserStream } from 'eventsource-parser/stream'

/** The access of this browser to the admin API. */
export type Access =
  | { readonly kind: 'allowed' }
  /** A token is needed; `refused` if the one that was given is wrong. */
  | { readonly kind: 'token'; readonly refused: boolean }
  /** The listener serves nobody, for this reason. */
  | { readonly kind: 'closed'; readonly reason: string }

export const access = signal<Access>({ kind: 'allowed' })

/** Only for this tab, and gone when it is closed. */
const TOKEN = 'headgate-admin-token'

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token)
  access.value = { kind: 'allowed' }
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN)
  access.value = { kind: 'token', refused: false }
}

export const hasToken = (): boolean => sessionStorage.getItem(TOKEN) !== null

/** Thrown for a response that is an error, with the reason that it gives. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** Rejects with an ApiError, or a TypeError if Headgate cannot be reached. */
async function request(
  path: string,
  { headers, ...init }: RequestInit & { readonly headers: { readonly [name: string]: string } },
): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN)
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
  // Without `omit`, a browser could add credentials that it keeps.
  const response = await fetch(path, {
    ...init,
    headers: { ...headers, ...authorization },
    cache: 'no-store',
    credentials: 'omit',
  })
  if (response.ok) return response
  const reason = await reasonOf(response)
  if (response.status === 401) access.value = { kind: 'token', refused: token !== null }
  if (response.status === 403) access.value = { kind: 'closed', reason }
  throw new ApiError(response.status, reason)
}

/** The shapes of Kafka Connect and of RFC 9457. */
async function reasonOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as { message?: string; detail?: string }
  return body.detail ?? body.message ?? `Headgate responded with status ${response.status}.`
}

export async function getJson<Body>(path: string, signal: AbortSignal | null = null): Promise<Body> {
  return (await request(path, { headers: JSON_ONLY, signal })).json()
}

/** Sends JSON, by POST if `method` is absent. */
export async function sendJson<Body>(
  path: string,
  body: object,
  {
    headers,
    ...init
  }: { readonly method?: string; readonly headers?: object; readonly signal?: AbortSignal } = {},
): Promise<Body> {
  const response = await request(path, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { ...JSON_ONLY, 'content-type': 'application/json', ...headers },
  })
  return response.json()
}

const JSON_ONLY = { accept: 'application/json' }

/** The reason of a failed request for a person. */
export const reasonText = (error: unknown): string =>
  error instanceof ApiError ? error.message : 'Headgate does not respond.'

/** The messages of a stream of server-sent events, until it ends or is aborted. */
export async function* messages<Message>(path: string, signal: AbortSignal): AsyncGenerator<Message> {
  const { body } = await request(path, { headers: { accept: 'text/event-stream' }, signal })
  if (body === null) return
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read())
      yield JSON.parse(read.value.data)
  } finally {
    void reader.cancel().catch(() => {})
  }
}
