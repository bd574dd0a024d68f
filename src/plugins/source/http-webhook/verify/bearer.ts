import { timingSafeEqual } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { Secrets, unauthenticated, type Verifier } from './verifier.js'

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
    head({ authorization }) {
      if (typeof authorization !== 'string') throw unauthenticated('The header authorization is missing.')
      const token = AUTHORIZATION.exec(authorization)?.[1]
      if (token === undefined) throw unauthenticated('The header authorization is not "Bearer" and a token.')
      if (!isKnown(token)) throw unauthenticated('The bearer token matches no configured token.')
    },
  }
}

/**
 * Whether a text is one of the secrets, in constant time: both sides have the length of the longest secret, padded with zeros.
 * Digests would also have equal lengths, and cost each event three times as much.
 */
function oneOf(secrets: readonly string[]): (text: string) => boolean {
  const longest = Math.max(...secrets.map(({ length }) => length))
  const presented = Buffer.alloc(2 * longest)
  const accepted = secrets.map((secret) => {
    const bytes = Buffer.alloc(2 * longest)
    // In UTF-16, lone surrogates stay distinct.
    bytes.write(secret, 'utf16le')
    return { bytes, length: secret.length }
  })
  return (text) => {
    presented.fill(0)
    presented.write(text, 'utf16le')
    let found = false
    for (const { bytes, length } of accepted)
      found = (timingSafeEqual(bytes, presented) && text.length === length) || found
    return found
  }
}
