import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { freshness, signatureCheck, Tolerance } from './signature.js'
import { header, Secrets, unauthenticated, type Verifier } from './verifier.js'

export const standardWebhooksSettings = Type.Object(
  {
    scheme: Type.Literal('standard-webhooks', {
      description:
        'The sender signs by Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature).',
    }),
    secrets: Secrets(
      'The secrets, as the sender shows them. List the old and the new one while you change them.',
      {
        pattern: '^(whsec_)?([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
        expected: 'base64, with or without "whsec_" before it',
      },
    ),
    tolerance: Tolerance(),
  },
  { additionalProperties: false },
)

const VERSION = 'v1,'

export function standardWebhooks({ secrets, tolerance }: Static<typeof standardWebhooksSettings>): Verifier {
  const checkFreshness = freshness('seconds', tolerance)
  const isSigned = signatureCheck(
    'sha256',
    'base64',
    secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64')),
  )
  return {
    body(headers, body) {
      const id = header(headers, 'webhook-id')
      const timestamp = header(headers, 'webhook-timestamp')
      const signatures = header(headers, 'webhook-signature')
        .split(' ')
        .filter((entry) => entry.startsWith(VERSION))
        .map((entry) => entry.slice(VERSION.length))
      checkFreshness(timestamp)
      if (isSigned([`${id}.${timestamp}.`, body], signatures)) return
      throw unauthenticated('No v1 signature in the header webhook-signature matches a configured secret.')
    },
  }
}
