import type { Static } from 'typebox'
import { Type } from '../../../../json/type.js'
import { type CheckContext, type ConfigProblem, variants } from '../../../../plugin.js'
import { bearer, bearerSettings } from './bearer.js'
import { hmac, hmacProblems, hmacSettings } from './hmac.js'
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

type VerifySettings = Static<typeof Verify>

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

/** What fits the schema and still cannot be used; `at` is the pointer of the settings. */
export function* verifyProblems(
  settings: VerifySettings,
  at: string,
  { exposed }: CheckContext,
): Iterable<ConfigProblem> {
  if (settings.scheme === 'hmac') yield* hmacProblems(settings, at)
  if (settings.scheme === 'none' && exposed) {
    yield {
      at,
      code: 'HG_CONFIG_UNVERIFIED',
      message: 'Anyone could send events: the listener is not on loopback and senders are not verified.',
      expected: 'bearer, hmac or standard-webhooks',
    }
  }
}
