import type { JWTPayload, JWTVerifyOptions } from 'jose'
import type { Static } from 'typebox'
import { asHeadgateError, HeadgateError } from '../../../../contract/errors.js'
import type { Files } from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/pointer.js'
import { Duration, milliseconds } from '../../../../lib/units.js'
import { type IssuerKeys, keysAtUrl, keysOfFile } from './jwks.js'
import { type Head, HeaderName, header, unauthenticated, type Verifier } from './verifier.js'

const closed = { additionalProperties: false } as const

const Names = (description: string) => Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description })

export const jwtSettings = Type.Object(
  {
    scheme: Type.Literal('jwt', {
      description:
        'The sender presents a JSON Web Token of an issuer (Microsoft Entra, Google). It says who sends, and nothing about the body.',
    }),
    header: {
      ...HeaderName('The header that has the token, with "Bearer" before it or not.'),
      default: 'Authorization',
    },
    keys: Type.Object(
      {
        url: Type.Optional(
          Type.String({
            pattern: '^https?://[^\\s]+$',
            expected: 'a URL such as "https://issuer.example/keys"',
            description: 'Where the issuer publishes them; HTTPS, except on loopback.',
          }),
        ),
        file: Type.Optional(
          Type.String({ format: 'path', description: 'A file with them, relative to the config file.' }),
        ),
      },
      { ...closed, description: 'The public keys of the issuer, as a JSON Web Key Set: `url` or `file`.' },
    ),
    issuers: Names('The values of the claim `iss` that are accepted.'),
    audiences: Names('The values of the claim `aud` that are accepted: the names of this receiver.'),
    claims: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Names('The values that are accepted.'), {
        description:
          'Further claims and the values that they must have, such as the application: {"appid": ["..."]}.',
      }),
    ),
    algorithms: Type.Array(
      Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
      {
        minItems: 1,
        uniqueItems: true,
        default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
        description: 'The signature algorithms that are accepted.',
      },
    ),
    tolerance: Duration({
      default: '1m',
      description: 'How far the clocks of issuer and receiver may be apart.',
    }),
  },
  closed,
)

export type JwtSettings = Static<typeof jwtSettings>

const BEARER = /^(?:bearer +)?([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+) *$/i

export function jwt(settings: JwtSettings, files: Pick<Files, 'read'> | undefined): Verifier {
  const name = settings.header.toLowerCase()
  const { keys: place } = settings
  const text = place.file === undefined ? undefined : files?.read(place.file)
  const options: JWTVerifyOptions = {
    issuer: settings.issuers,
    audience: settings.audiences,
    algorithms: settings.algorithms,
    clockTolerance: milliseconds(settings.tolerance) / 1000,
    requiredClaims: ['exp'],
  }
  let keys: Promise<IssuerKeys> | undefined
  return {
    ...(name === 'authorization' && { challenge: 'Bearer' }),
    head(request) {
      tokenOf(request, name)
    },
    async prepare(request) {
      keys ??= text === undefined ? keysAtUrl(place.url ?? '') : keysOfFile(text)
      const payload = await verified(tokenOf(request, name), await keys, options)
      requireClaims(payload, settings.claims ?? {})
    },
  }
}

function tokenOf(request: Head, name: string): string {
  const token = BEARER.exec(header(request, name))?.[1]
  if (token === undefined) throw unauthenticated(`The header ${name} has no JSON Web Token.`)
  return token
}

/** Translates the errors of the library: an unreachable issuer is a fault of ours, and the sender tries again. */
async function verified(token: string, keys: IssuerKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  const { errors } = await import('jose')
  try {
    return await payloadOf(token, keys, options)
  } catch (thrown) {
    if (thrown instanceof HeadgateError) throw thrown
    if (thrown instanceof errors.JWKSTimeout || thrown instanceof errors.JWKSInvalid)
      throw new HeadgateError('HG_INTAKE_KEYS', `The keys of the issuer cannot be used: ${thrown.message}.`)
    if (thrown instanceof errors.JOSEError) throw unauthenticated(`The token is refused: ${thrown.message}.`)
    throw asHeadgateError(thrown, 'The verification of the token')
  }
}

/** Keys that are tried for a token that names none: an issuer has the old one and the new one while it changes them. */
const MOST_KEYS = 8

async function payloadOf(token: string, keys: IssuerKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  const { jwtVerify, errors } = await import('jose')
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (thrown) {
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw thrown
    let attempts = 0
    for await (const key of thrown) {
      if (attempts++ === MOST_KEYS) break
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (reason) {
        if (!(reason instanceof errors.JWSSignatureVerificationFailed)) throw reason
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

function requireClaims(payload: JWTPayload, claims: { readonly [claim: string]: readonly string[] }): void {
  for (const [claim, accepted] of Object.entries(claims)) {
    const values = [payload[claim]].flat()
    if (!values.some((value) => typeof value === 'string' && accepted.includes(value)))
      throw unauthenticated(`The claim ${claim} of the token has none of the accepted values.`)
  }
}
