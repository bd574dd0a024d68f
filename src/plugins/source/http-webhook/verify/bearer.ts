import { hash, timingSafeEqual } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../json/type.js'
import { Secrets, unauthenticated, type Verifier } from './verifier.js'

export const bearerSettings = Type.Object(
  {
    scheme: Type.Literal('bearer', { description: 'The sender puts a token into the Authorization header.' }),
    tokens: Secrets('The tokens that are accepted. List the old and the new one while you change them.'),
  },
  { additionalProperties: false },
)

const AUTHORIZATION = /^bearer +([^ ]+) *$/i

export function bearer({ tokens }: Static<typeof bearerSettings>): Verifier {
  const digests = tokens.map(digest)
  return {
    challenge: 'Bearer',
    head({ authorization }) {
      if (typeof authorization !== 'string') throw unauthenticated('The header authorization is missing.')
      const token = AUTHORIZATION.exec(authorization)?.[1]
      if (token === undefined) throw unauthenticated('The header authorization is not "Bearer" and a token.')
      const presented = digest(token)
      let known = false
      for (const configured of digests) known = timingSafeEqual(configured, presented) || known
      if (!known) throw unauthenticated('The bearer token is none of those configured.')
    },
  }
}

/** Digests are of one length, so that a comparison tells nothing of the length of a token. */
const digest = (token: string): Buffer => hash('sha256', token, 'buffer')
