import type { Static } from 'typebox'
import { variants } from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/pointer.js'
import { bearer, bearerSettings } from './bearer.js'
import { hmac, hmacSettings } from './hmac.js'
import { standardWebhooks, standardWebhooksSettings } from './standard-webhooks.js'
import type { Verifier } from './verifier.js'

const noneSettings = Type.Object(
  { scheme: Type.Literal('none', { description: 'Anyone who reaches the listener can send events.' }) },
  { additionalProperties: false },
)

export const Verify = variants('scheme', 'How a sender proves who it is.', {
  bearer: bearerSettings,
  hmac: hmacSettings,
  'standard-webhooks': standardWebhooksSettings,
  none: noneSettings,
})

export type VerifySettings = Static<typeof Verify>

export function verifier(settings: VerifySettings): Verifier {
  switch (settings.scheme) {
    case 'bearer':
      return bearer(settings)
    case 'hmac':
      return hmac(settings)
    case 'standard-webhooks':
      return standardWebhooks(settings)
    case 'none':
      return {}
  }
}
