import type { Writable } from 'node:stream'

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
