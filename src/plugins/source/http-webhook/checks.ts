import type { ConfigProblem, LintFinding, LintMeaning } from '../../../contract/index.js'
import type { HmacSettings } from './verify/hmac.js'
import type { VerifySettings } from './verify/schemes.js'

/** Settings that fit the schema and cannot be used. */
export function* verifyProblems(settings: VerifySettings, exposed: boolean): Iterable<ConfigProblem> {
  if (settings.scheme === 'hmac') yield* hmacProblems(settings)
  if (settings.scheme === 'none' && exposed) {
    yield {
      at: '/verify',
      code: 'HG_CONFIG_UNVERIFIED',
      message: 'Anyone could send events: the listener is not on loopback and senders are not verified.',
      expected: 'bearer, hmac or standard-webhooks',
    }
  }
}

/** The warnings of `verifyFindings`. */
export const LINTS: Readonly<{ [name: string]: LintMeaning }> = {
  'event-id-not-signed': {
    meaning: 'The signature of the sender does not cover the header of the event id.',
    why: 'An attacker with a recorded signed request can send it again under another id, and Headgate takes it for another event.',
  },
  'signed-text-ambiguous': {
    meaning: 'In the text that the sender signs, nothing separates two of its parts.',
    why: 'One signature is then valid for several requests: characters can move from one part to the other. Some senders (Zendesk) do sign like that.',
  },
}

const STANDARD_ID = 'webhook-id'

/** Settings that are allowed and probably not safe. `idHeader`: the header that has the event id. */
export function* verifyFindings(
  settings: VerifySettings,
  idHeader: string | undefined,
): Iterable<LintFinding> {
  if (settings.scheme === 'hmac') yield* hmacFindings(settings, idHeader)
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

function* hmacProblems({ signed, timestamp, listKey }: HmacSettings): Iterable<ConfigProblem> {
  const conflict = (pointer: string, message: string): ConfigProblem => ({
    at: `/verify${pointer}`,
    code: 'HG_CONFIG_CONFLICT',
    message,
  })
  const signsTime = signed.includes('{timestamp}')
  if (timestamp === undefined) {
    if (signsTime) yield conflict('/signed', '`signed` has {timestamp}, but `timestamp` is missing.')
    return
  }
  if (!signsTime) yield conflict('/timestamp', 'The timestamp is not signed: `signed` has no {timestamp}.')
  if ((timestamp.header === undefined) === (timestamp.listKey === undefined)) {
    yield conflict('/timestamp', '`timestamp` needs either `header` or `listKey`, and not both.')
  }
  if (timestamp.listKey !== undefined && listKey === undefined) {
    yield conflict('/timestamp/listKey', 'The header is not a list: the signature has no `listKey`.')
  }
}

/** Placeholders with nothing between them. */
const UNDELIMITED = /\{[^{}]+\}\{[^{}]+\}/

function* hmacFindings({ signed }: HmacSettings, idHeader: string | undefined): Iterable<LintFinding> {
  if (idHeader !== undefined && !signed.toLowerCase().includes(`{header:${idHeader.toLowerCase()}}`)) {
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
