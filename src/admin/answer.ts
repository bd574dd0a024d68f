export interface Answer {
  readonly status: number
  readonly headers: Readonly<{ [name: string]: string }>
  readonly body: string
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
