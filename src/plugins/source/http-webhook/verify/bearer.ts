import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { oneOf } from './one-of.js'
import { type Head, header, Secrets, unauthenticated, type Verifier } from './verifier.js'

export const bearerSettings = Type.Object(
  {
    scheme: Type.Literal('bearer', { description: 'The sender puts a token into the Authorization header.' }),
    tokens: Secrets('The tokens that are accepted. List the old and the new one while you change them.', {
      // RFC 6750 has no white space in a token, and one that has some could never be presented.
      pattern: '^\\S+$',
      expected: 'a token without white space',
    }),
  },
  { additionalProperties: false },
)

const AUTHORIZATION = /^bearer +([^ ]+) *$/i

export function bearer({ tokens }: Static<typeof bearerSettings>): Verifier {
  const isKnown = oneOf(tokens)
  return {
    challenge: 'Bearer',
    key: tokenOf,
    head(request) {
      const token = tokenOf(request)
      if (!isKnown(token)) throw unauthenticated('The bearer token matches no configured token.')
    },
  }
}

function tokenOf(request: Head): string {
  const token = AUTHORIZATION.exec(header(request, 'authorization'))?.[1]
  if (token === undefined) throw unauthenticated('The header authorization is not "Bearer" and a token.')
  return token
}
