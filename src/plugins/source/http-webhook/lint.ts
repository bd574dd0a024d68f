import type { LintFinding, LintMeaning } from '../../../contract/index.js'
import { hasStrangers } from '../../../lib/networks.js'
import type { HmacSettings } from './verify/hmac.js'
import type { PublicKeySettings } from './verify/public-key.js'
import type { VerifySettings } from './verify/schemes.js'

/** The warnings of `verifyFindings` and `proxyFindings`. */
export const LINTS: Readonly<{ [name: string]: LintMeaning }> = {
  'event-id-not-signed': {
    meaning: 'The signature of the sender does not cover the header of the event id.',
    why: 'An attacker with a recorded signed request can send it again under another id, and Headgate takes it for another event.',
  },
  'signed-text-ambiguous': {
    meaning: 'In the text that the sender signs, nothing separates two of its parts.',
    why: 'One signature is then valid for several requests: characters can move from one part to the other. Some senders (Zendesk) do sign like that.',
  },
  'trusts-strangers': {
    meaning: 'A network of `trustedProxies` is so large that strangers are in it.',
    why: 'A sender in such a network chooses the address that Headgate takes for its own, by a header.',
  },
}

/** Settings that are allowed and probably not safe. `idHeaders`: the headers that have the event id. */
export function* verifyFindings(verify: VerifySettings, idHeaders: readonly string[]): Iterable<LintFinding> {
  switch (verify.scheme) {
    case 'hmac':
    case 'ed25519':
    case 'ecdsa-p256':
      yield* signedRequestFindings(verify, idHeaders)
      break
    case 'standard-webhooks': {
      const signedId = `${verify.headerPrefix}id`
      for (const idHeader of idHeaders) {
        if (idHeader.toLowerCase() === signedId.toLowerCase()) continue
        yield {
          at: '/eventId',
          name: 'event-id-not-signed',
          message: `The event id is read from the header ${idHeader}, and the sender signs ${signedId}.`,
          suggestion: `Use "header:${signedId}" as \`eventId\`, or read the id from the body.`,
        }
      }
    }
  }
}

export function* proxyFindings(trustedProxies: readonly string[] = []): Iterable<LintFinding> {
  for (const [index, text] of trustedProxies.entries()) {
    if (!hasStrangers(text)) continue
    yield {
      at: `/trustedProxies/${index}`,
      name: 'trusts-strangers',
      message: `The network ${text} has addresses that are not those of your proxies.`,
      suggestion: 'Name the networks of the proxies alone, such as "10.0.0.0/8".',
    }
  }
}

/** Placeholders with nothing between them. */
const UNDELIMITED = /\{[^{}]+\}\{[^{}]+\}/

function* signedRequestFindings(
  { signed }: HmacSettings | PublicKeySettings,
  idHeaders: readonly string[],
): Iterable<LintFinding> {
  for (const idHeader of idHeaders) {
    if (signed.toLowerCase().includes(`{header:${idHeader.toLowerCase()}}`)) continue
    yield {
      at: '/eventId',
      name: 'event-id-not-signed',
      message: `The event id is read from the header ${idHeader}, which is not part of the signed text "${signed}".`,
      suggestion: `If the sender signs the header, add {header:${idHeader}} to \`signed\`; otherwise read the id from the body if it is there.`,
    }
  }
  const [undelimited] = UNDELIMITED.exec(signed) ?? []
  if (undelimited !== undefined) {
    yield {
      at: '/verify/signed',
      name: 'signed-text-ambiguous',
      message: `Nothing separates ${undelimited.replace('}{', '} from {')} in the signed text.`,
      suggestion: 'If the sender signs a separator such as "." between them, write it.',
    }
  }
}
