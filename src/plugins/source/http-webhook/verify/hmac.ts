import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { decodeSecret, hmacCheck, SecretEncoding } from './signature.js'
import { signedRequest, signedRequestSettings } from './signed-request.js'
import { PlainSecrets, unauthenticated, type Verifier } from './verifier.js'

export const hmacSettings = Type.Object(
  {
    scheme: Type.Literal('hmac', {
      description: 'The sender signs the body with a shared secret (GitHub, Stripe, Zendesk).',
    }),
    ...signedRequestSettings,
    algorithm: Type.Enum(['sha256', 'sha512', 'sha1'], {
      default: 'sha256',
      description: 'The hash of the HMAC.',
    }),
    secrets: PlainSecrets(
      'The secrets that are accepted. List the old and the new one while you change them.',
    ),
    secretEncoding: SecretEncoding,
  },
  { additionalProperties: false },
)

export type HmacSettings = Static<typeof hmacSettings>

export function hmac(settings: HmacSettings, publicUrl?: string): Verifier {
  const { algorithm, encoding, secrets, secretEncoding } = settings
  const claimOf = signedRequest(settings, publicUrl)
  const isSigned = hmacCheck(
    algorithm,
    encoding,
    // The check of the settings has refused a secret that cannot be decoded.
    secrets.map((secret) => decodeSecret(secret, secretEncoding) ?? Buffer.alloc(0)),
  )
  const refusal = `No signature in the header ${settings.header.toLowerCase()} matches a configured secret.`
  return {
    body(request, body) {
      const { signed, signatures } = claimOf(request, body)
      if (!isSigned(signed, signatures)) throw unauthenticated(refusal)
    },
  }
}
