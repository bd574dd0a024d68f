import { verify as verifySignature } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { PublicKeys, publicKeyOf } from './public-key.js'
import { decodeSecret, decodeStrictly, freshness, hmacCheck, requireFew, Tolerance } from './signature.js'
import { HeaderName, header, Secrets, unauthenticated, type Verifier } from './verifier.js'

export const standardWebhooksSettings = Type.Object(
  {
    scheme: Type.Literal('standard-webhooks', {
      description:
        'The sender signs by Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature).',
    }),
    headerPrefix: {
      ...HeaderName('The start of the names of the three headers; that of Svix is "svix-".'),
      default: 'webhook-',
    },
    secrets: Type.Optional(
      Secrets(
        'The secrets for signatures "v1", as the sender shows them. List the old and the new one while you change them.',
        {
          pattern: '^(whsec_)?([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
          expected: 'base64, with or without "whsec_" before it',
        },
      ),
    ),
    publicKeys: Type.Optional(
      PublicKeys(
        'The Ed25519 keys for signatures "v1a", as the sender shows them: base64, with or without "whpk_".',
      ),
    ),
    tolerance: Tolerance(),
  },
  { additionalProperties: false },
)

export type StandardWebhooksSettings = Static<typeof standardWebhooksSettings>

/** The key of "whpk_" and base64; undefined if it is none. */
export const standardPublicKey = (text: string) => publicKeyOf(text.replace(/^whpk_/, ''), 'ed25519')

export function standardWebhooks({
  headerPrefix,
  secrets = [],
  publicKeys = [],
  tolerance,
}: StandardWebhooksSettings): Verifier {
  const [idName, timestampName, signatureName] = ['id', 'timestamp', 'signature'].map(
    (name) => headerPrefix.toLowerCase() + name,
  ) as [string, string, string]
  const checkFreshness = freshness('seconds', tolerance)
  const hasHmac = hmacCheck(
    'sha256',
    'base64',
    secrets.flatMap((secret) => decodeSecret(secret, 'whsec') ?? []),
  )
  const keys = publicKeys.flatMap((text) => standardPublicKey(text) ?? [])
  const versions = [...(secrets.length > 0 ? ['v1'] : []), ...(keys.length > 0 ? ['v1a'] : [])].join(' or ')
  return {
    body(request, body) {
      const id = header(request, idName)
      const timestamp = header(request, timestampName)
      const entries = header(request, signatureName).split(' ')
      requireFew(entries, signatureName)
      checkFreshness(timestamp)
      const start = `${id}.${timestamp}.`
      if (hasHmac([start, body], signaturesOf(entries, 'v1,'))) return
      const asymmetric = keys.length === 0 ? [] : signaturesOf(entries, 'v1a,')
      const data = asymmetric.length === 0 ? body : Buffer.concat([Buffer.from(start), body])
      for (const text of asymmetric) {
        const signature = decodeStrictly(text, 'base64')
        if (signature !== undefined && keys.some((key) => verifySignature(null, data, key, signature))) return
      }
      throw unauthenticated(
        `No ${versions} signature in the header ${signatureName} matches a configured key.`,
      )
    },
  }
}

const signaturesOf = (entries: readonly string[], version: string): string[] =>
  entries.filter((entry) => entry.startsWith(version)).map((entry) => entry.slice(version.length))
