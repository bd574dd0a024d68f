import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { oneOf } from './one-of.js'
import {
  type Head,
  HeaderName,
  header,
  PlainSecrets,
  parameter,
  unauthenticated,
  type Verifier,
} from './verifier.js'

export const apiKeySettings = Type.Object(
  {
    scheme: Type.Literal('api-key', {
      description:
        'The sender puts a secret, as it is, into a header or a parameter of the query (GitLab, Okta).',
    }),
    header: Type.Optional(HeaderName('The header that has the key. Its whole value is the key.')),
    query: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'The parameter of the query that has the key. Prefer a header: proxies write URLs to their logs.',
      }),
    ),
    keys: PlainSecrets('The keys that are accepted. List the old and the new one while you change them.'),
  },
  { additionalProperties: false },
)

export type ApiKeySettings = Static<typeof apiKeySettings>

export function apiKey({ header: name, query = '', keys }: ApiKeySettings): Verifier {
  const isKnown = oneOf(keys)
  const headerName = name?.toLowerCase()
  const where = headerName === undefined ? `parameter ${query} of the query` : `header ${headerName}`
  const keyOf = (request: Head) =>
    headerName === undefined ? parameter(request, query) : header(request, headerName)
  return {
    key: keyOf,
    head(request) {
      if (!isKnown(keyOf(request)))
        throw unauthenticated(`The key in the ${where} matches no configured key.`)
    },
  }
}
