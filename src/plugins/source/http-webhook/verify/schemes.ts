import type { Static } from 'typebox'
import { type Files, variants } from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/pointer.js'
import { apiKey, apiKeySettings } from './api-key.js'
import { basic, basicSettings } from './basic.js'
import { bearer, bearerSettings } from './bearer.js'
import { bodyField, bodyFieldSettings } from './body-field.js'
import { hmac, hmacSettings } from './hmac.js'
import { jwt, jwtSettings } from './jwt.js'
import { ecdsaSettings, ed25519Settings, publicKeySignature } from './public-key.js'
import { standardWebhooks, standardWebhooksSettings } from './standard-webhooks.js'
import type { Verifier } from './verifier.js'

const noneSettings = Type.Object(
  { scheme: Type.Literal('none', { description: 'Anyone who reaches the listener can send events.' }) },
  { additionalProperties: false },
)

export const Verify = variants('scheme', 'How a sender proves who it is.', {
  bearer: bearerSettings,
  basic: basicSettings,
  'api-key': apiKeySettings,
  hmac: hmacSettings,
  'standard-webhooks': standardWebhooksSettings,
  ed25519: ed25519Settings,
  'ecdsa-p256': ecdsaSettings,
  jwt: jwtSettings,
  'body-field': bodyFieldSettings,
  none: noneSettings,
})

export type VerifySettings = Static<typeof Verify>

/** `publicUrl`: for schemes that sign the URL; `files`: for those that read one. */
export function verifier(
  settings: VerifySettings,
  publicUrl?: string,
  files?: Pick<Files, 'read'>,
): Verifier {
  switch (settings.scheme) {
    case 'bearer':
      return bearer(settings)
    case 'basic':
      return basic(settings)
    case 'api-key':
      return apiKey(settings)
    case 'hmac':
      return hmac(settings, publicUrl)
    case 'standard-webhooks':
      return standardWebhooks(settings)
    case 'ed25519':
    case 'ecdsa-p256':
      return publicKeySignature(settings, publicUrl)
    case 'jwt':
      return jwt(settings, files)
    case 'body-field':
      return bodyField(settings)
    case 'none':
      return {}
  }
}

/** The locators of secrets that senders present as they are, besides the header Authorization. */
export function credentialsOf(settings: VerifySettings): readonly string[] {
  switch (settings.scheme) {
    case 'api-key':
      return [settings.header === undefined ? `query:${settings.query}` : `header:${settings.header}`]
    case 'jwt':
      return [`header:${settings.header}`]
    default:
      return []
  }
}
