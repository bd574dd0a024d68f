import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { oneOf } from './one-of.js'
import { type Head, header, Secrets, unauthenticated, type Verifier } from './verifier.js'

export const basicSettings = Type.Object(
  {
    scheme: Type.Literal('basic', {
      description: 'The sender has a user name and a password (HTTP Basic authentication).',
    }),
    credentials: Secrets(
      'The user names and passwords that are accepted, each as "name:password". List the old and the new one while you change them.',
      { pattern: '^[^:]*:', expected: 'a user name, a colon and a password' },
    ),
  },
  { additionalProperties: false },
)

const AUTHORIZATION = /^basic +([^ ]+) *$/i

/** Compares the encoded texts: decoders of base64 skip characters that do not belong there. */
export function basic({ credentials }: Static<typeof basicSettings>): Verifier {
  const isKnown = oneOf(credentials.map((pair) => Buffer.from(pair).toString('base64')))
  return {
    // RFC 7617, 2.1
    challenge: 'Basic realm="headgate", charset="UTF-8"',
    key: encodedOf,
    head(request) {
      if (!isKnown(encodedOf(request)))
        throw unauthenticated('The user name and password match no configured credentials.')
    },
  }
}

function encodedOf(request: Head): string {
  const encoded = AUTHORIZATION.exec(header(request, 'authorization'))?.[1]
  if (encoded === undefined) throw unauthenticated('The header authorization is not "Basic" and credentials.')
  return encoded
}
