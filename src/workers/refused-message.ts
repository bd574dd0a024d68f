import type { RefusedRequest } from '../http/refused.js'

/** Refused requests, oldest first. The parts are the bodies of those that have one. */
export interface RefusedMessage {
  readonly kind: 'refused'
  readonly refused: readonly (Omit<RefusedRequest, 'body'> & { readonly hasBody: boolean })[]
}

export function toRefusedMessage(refused: readonly RefusedRequest[]): {
  readonly message: RefusedMessage
  readonly parts: readonly Buffer[]
} {
  return {
    message: {
      kind: 'refused',
      refused: refused.map(({ body, ...rest }) => ({ ...rest, hasBody: body !== undefined })),
    },
    parts: refused.flatMap(({ body }) => (body === undefined ? [] : [body])),
  }
}

export function fromRefusedMessage(
  { refused }: RefusedMessage,
  parts: readonly Buffer[],
): readonly RefusedRequest[] {
  let next = 0
  // A part is a slice of a frame with all of them: a copy lets the others go.
  return refused.map(({ hasBody, ...rest }) => ({
    ...rest,
    body: hasBody ? Buffer.from(parts[next++] as Buffer) : undefined,
  }))
}
