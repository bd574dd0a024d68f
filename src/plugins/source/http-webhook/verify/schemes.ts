import type { Static } from 'typebox'
import {
  type CheckContext,
  type ConfigProblem,
  type LintFinding,
  type LintMeaning,
  variants,
} from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/type.js'
import { bearer, bearerSettings } from './bearer.js'
import { hmac, hmacFindings, hmacProblems, hmacSettings } from './hmac.js'
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

/** What `verifyFindings` warns of. */
export const VERIFY_LINTS: Readonly<{ [name: string]: LintMeaning }> = {
  'event-id-not-signed': {
    meaning: 'The event id stands in a header that the signature of the sender does not cover.',
    why: 'Somebody who recorded a signed request can send it again under another id, and it counts as another event.',
  },
  'signed-text-ambiguous': {
    meaning: 'In the text that the sender signs, nothing separates two of its parts.',
    why: 'One signature then fits several requests: characters can move from one part to the other. Some senders (Zendesk) do sign like that.',
  },
}

const STANDARD_ID = 'webhook-id'

/** What is allowed and probably not safe; `at` is the pointer of the settings. `idHeader`: the header that has the event id. */
export function* verifyFindings(
  settings: VerifySettings,
  at: string,
  idHeader: string | undefined,
): Iterable<LintFinding> {
  if (settings.scheme === 'hmac') yield* hmacFindings(settings, at, idHeader)
  if (
    settings.scheme === 'standard-webhooks' &&
    idHeader !== undefined &&
    idHeader.toLowerCase() !== STANDARD_ID
  ) {
    yield {
      at: '/eventId',
      name: 'event-id-not-signed',
      message: `The event id is read from the header ${idHeader}, and Standard Webhooks signs ${STANDARD_ID}.`,
      suggestion: `Use {"header": "${STANDARD_ID}"} as \`eventId\`, or read the id from the body.`,
    }
  }
}
