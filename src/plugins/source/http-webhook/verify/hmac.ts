import type { Static } from 'typebox'
import type { ConfigProblem, LintFinding } from '../../../../contract/index.js'
import { Type } from '../../../../lib/json/type.js'
import { signatureCheck } from './signature.js'
import { SIGNED_TEXT_PATTERN, signedText } from './signed-text.js'
import { freshness, TimestampUnit, Tolerance } from './timestamp.js'
import { HeaderName, type Headers, header, Secrets, unauthenticated, type Verifier } from './verifier.js'

const ListKey = (description: string) =>
  Type.String({
    pattern: '^[^=,; ]+$',
    expected: 'the name before the "=" in the list, such as "v1"',
    description,
  })

export const hmacSettings = Type.Object(
  {
    scheme: Type.Literal('hmac', {
      description: 'The sender signs the body with a shared secret (GitHub, Stripe, Zendesk).',
    }),
    header: HeaderName('The header that has the signature.'),
    listKey: Type.Optional(
      ListKey(
        'Where the header is a list such as "t=1700000000,v1=ab12": the key under which signatures stand.',
      ),
    ),
    prefix: Type.String({ default: '', description: 'What stands before the signature, such as "sha256=".' }),
    encoding: Type.Enum(['hex', 'base64'], { default: 'hex', description: 'How the signature is written.' }),
    algorithm: Type.Enum(['sha256', 'sha512', 'sha1'], {
      default: 'sha256',
      description: 'The hash of the HMAC.',
    }),
    signed: Type.String({
      pattern: SIGNED_TEXT_PATTERN,
      expected: 'text with {body} and, where they are signed too, {timestamp} and {header:NAME}',
      default: '{body}',
      description: 'What is signed: any text with {body}, {timestamp} and {header:NAME} in it.',
    }),
    timestamp: Type.Optional(
      Type.Object(
        {
          header: Type.Optional(HeaderName('The header that has the timestamp.')),
          listKey: Type.Optional(
            ListKey('The key of the timestamp, where it stands in the list of the signature.'),
          ),
          unit: TimestampUnit,
          tolerance: Tolerance(),
        },
        {
          additionalProperties: false,
          description: 'Where the time of sending stands. Without it, a request can be replayed.',
        },
      ),
    ),
    secrets: Secrets('The secrets that are accepted. List the old and the new one while you change them.', {
      pattern: '\\S',
      expected: 'a secret that is not blank',
    }),
  },
  { additionalProperties: false },
)

type HmacSettings = Static<typeof hmacSettings>

/** What fits the schema and still cannot work; `at` is the pointer of the settings. */
export function* hmacProblems(
  { signed, timestamp, listKey }: HmacSettings,
  at: string,
): Iterable<ConfigProblem> {
  const conflict = (pointer: string, message: string): ConfigProblem => ({
    at: `${at}${pointer}`,
    code: 'HG_CONFIG_CONFLICT',
    message,
  })
  const signsTime = signed.includes('{timestamp}')
  if (timestamp === undefined) {
    if (signsTime)
      yield conflict('/signed', '{timestamp} is signed, but no `timestamp` says where it stands.')
    return
  }
  if (!signsTime) yield conflict('/timestamp', 'The timestamp proves nothing: `signed` has no {timestamp}.')
  if ((timestamp.header === undefined) === (timestamp.listKey === undefined)) {
    yield conflict(
      '/timestamp',
      'The timestamp stands in a `header` or under a `listKey`: give one of the two.',
    )
  }
  if (timestamp.listKey !== undefined && listKey === undefined) {
    yield conflict('/timestamp/listKey', 'The header is no list: the signature has no `listKey`.')
  }
}

/** Placeholders with nothing between them. */
const UNDELIMITED = /\{[^{}]+\}\{[^{}]+\}/

/** What is allowed and probably not safe; `at` is the pointer of the settings. `idHeader`: the header that has the event id. */
export function* hmacFindings(
  { signed }: HmacSettings,
  at: string,
  idHeader: string | undefined,
): Iterable<LintFinding> {
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
      at: `${at}/signed`,
      name: 'signed-text-ambiguous',
      message: `Nothing separates ${undelimited.replace('}{', '} from {')} in the signed text.`,
      suggestion: 'If the sender signs a separator such as "." between them, write it.',
    }
  }
}

export function hmac(settings: HmacSettings): Verifier {
  const { prefix, encoding, algorithm, signed, timestamp, secrets } = settings
  const name = settings.header.toLowerCase()
  const signaturesIn = valuesIn(name, settings.listKey)
  const timestampIn = timestampReader(name, timestamp)
  const checkFreshness = timestamp === undefined ? undefined : freshness(timestamp.unit, timestamp.tolerance)
  const textOf = signedText(signed)
  const isSigned = signatureCheck(
    algorithm,
    encoding,
    secrets.map((secret) => Buffer.from(secret)),
  )
  return {
    body(headers, body) {
      const signatures = signaturesIn(headers)
        .filter((signature) => signature.startsWith(prefix))
        .map((signature) => signature.slice(prefix.length))
      if (signatures.length === 0)
        throw unauthenticated(`The header ${name} has no signature that starts with "${prefix}".`)
      const time = timestampIn(headers)
      checkFreshness?.(time)
      if (isSigned(textOf(headers, time, body), signatures)) return
      throw unauthenticated(`No signature in the header ${name} matches a configured secret.`)
    },
  }
}

function timestampReader(
  signatureHeader: string,
  timestamp: HmacSettings['timestamp'],
): (headers: Headers) => string {
  if (timestamp?.header !== undefined) {
    const name = timestamp.header.toLowerCase()
    return (headers) => header(headers, name)
  }
  if (timestamp?.listKey === undefined) return () => ''
  const { listKey } = timestamp
  const values = valuesIn(signatureHeader, listKey)
  return (headers) => values(headers)[0] ?? missing(signatureHeader, listKey)
}

/** The one value of a header, or all values that stand under a key of its list. */
function valuesIn(name: string, listKey: string | undefined): (headers: Headers) => string[] {
  if (listKey === undefined) return (headers) => [header(headers, name)]
  const start = `${listKey}=`
  return (headers) => {
    const values = header(headers, name)
      .split(/[,;] */)
      .filter((member) => member.startsWith(start))
      .map((member) => member.slice(start.length))
    return values.length === 0 ? missing(name, listKey) : values
  }
}

function missing(name: string, listKey: string): never {
  throw unauthenticated(`The header ${name} has no "${listKey}=".`)
}
