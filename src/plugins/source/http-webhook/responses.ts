import type { Static } from 'typebox'
import type { HttpResponse, Outcome } from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'

const closed = { additionalProperties: false } as const

/** Not those that say where a response ends. */
const HEADER = '^(?!(?:content-length|transfer-encoding|connection)$)[a-z0-9-]+$'

const ResponseTo = (description: string, status: { minimum: number; maximum: number }) =>
  Type.Optional(
    Type.Object(
      {
        status: Type.Optional(Type.Integer({ ...status, description: 'The status; 204 has no body.' })),
        body: Type.Union([Type.Boolean(), Type.String({ minLength: 1, maxLength: 4096 })], {
          default: true,
          expected: 'true, false, or the text of the body',
          description:
            'Whether the response has a body, or the body itself if the sender wants a fixed one. `content-type` in `headers` then says of what type it is. Default of the type: text/plain.',
        }),
        headers: Type.Optional(
          Type.Record(Type.String({ pattern: HEADER }), Type.String(), {
            ...closed,
            expected: 'names in lower case and texts',
            description: 'Headers that the response has too.',
          }),
        ),
      },
      { ...closed, description },
    ),
  )

const SUCCESS = { minimum: 200, maximum: 299 }
const REFUSAL = { minimum: 400, maximum: 499 }
const LATER = { minimum: 400, maximum: 599 }
const FAILURE = { minimum: 500, maximum: 599 }

export const Responses = Type.Object(
  {
    accepted: ResponseTo('To an event that is in the inbox of the pipeline.', SUCCESS),
    delivered: ResponseTo('To an event that Kafka has.', SUCCESS),
    duplicate: ResponseTo('To an event that Kafka had before.', SUCCESS),
    dropped: ResponseTo('To an event that the config drops.', SUCCESS),
    'dead-lettered': ResponseTo('To bad data that is kept as a dead letter. Default: 202.', SUCCESS),
    rejected: ResponseTo('To a request that is refused. Default: the status of the error.', REFUSAL),
    limited: ResponseTo(
      'To a request beyond `rateLimit`. Default: 429; some senders try again only after a status of 500 or more.',
      LATER,
    ),
    unavailable: ResponseTo('To an event that the sender has to send again. Default: 503.', FAILURE),
  },
  {
    ...closed,
    default: {},
    description:
      'Responses by outcome, for senders that take only some statuses for success, or want another body or none. Default: 200 with the receipt as JSON, and problem+json for errors.',
  },
)

export type ResponseSettings = Static<typeof Responses>

/** The response as the sender of this source wants it. */
export function adapted(
  response: HttpResponse,
  kind: Exclude<Outcome['kind'], 'handshake'>,
  responses: ResponseSettings,
): HttpResponse {
  const settings = responses[kind]
  if (settings === undefined) return response
  const { status = response.status, headers = {} } = settings
  const body = status === NO_CONTENT ? false : settings.body
  if (body === true) return { ...response, status, headers: { ...response.headers, ...headers } }
  const { 'content-type': _, ...others } = response.headers
  if (body === false) return { ...response, status, headers: { ...others, ...headers }, body: '' }
  return { ...response, status, headers: { ...others, ...TEXT, ...headers }, body }
}

const NO_CONTENT = 204
const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
