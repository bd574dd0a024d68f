import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { freshness, signatureCheck, TimestampUnit, Tolerance } from './signature.js'
import { HeaderName, type Headers, header, Secrets, unauthenticated, type Verifier } from './verifier.js'

const NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const PLACEHOLDER = new RegExp(`\\{(body|timestamp|header:${NAME})\\}`)

/** Text and placeholders, {body} among them. */
export const SIGNED_TEXT_PATTERN = `^(?=[\\s\\S]*\\{body\\})([^{}]|\\{(body|timestamp|header:${NAME})\\})+$`

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
      ListKey('If the header is a list such as "t=1700000000,v1=ab12": the key of the signatures.'),
    ),
    prefix: Type.String({ default: '', description: 'The text before the signature, such as "sha256=".' }),
    encoding: Type.Enum(['hex', 'base64'], { default: 'hex', description: 'How the signature is written.' }),
    algorithm: Type.Enum(['sha256', 'sha512', 'sha1'], {
      default: 'sha256',
      description: 'The hash of the HMAC.',
    }),
    signed: Type.String({
      pattern: SIGNED_TEXT_PATTERN,
      expected: 'text with {body} and, if they are signed too, {timestamp} and {header:NAME}',
      default: '{body}',
      description: 'The signed text: any text with {body}, {timestamp} and {header:NAME} in it.',
    }),
    timestamp: Type.Optional(
      Type.Object(
        {
          header: Type.Optional(HeaderName('The header that has the timestamp.')),
          listKey: Type.Optional(
            ListKey('The key of the timestamp, if it is part of the list of the signature.'),
          ),
          unit: TimestampUnit,
          tolerance: Tolerance(),
        },
        {
          additionalProperties: false,
          description: 'The location of the time of sending. Without it, a request can be replayed.',
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

export type HmacSettings = Static<typeof hmacSettings>

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

/** The one value of a header, or all values of a key in its list. */
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

/** Compiles the template of the text that a sender signs. The function returns its parts in their order. */
function signedText(
  template: string,
): (headers: Headers, timestamp: string, body: Buffer) => (string | Buffer)[] {
  // Splitting by a pattern with a group gives text and placeholder alternately.
  const parts = template
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? text(part) : placeholder(part)))
  return (headers, timestamp, body) => parts.map((part) => part(headers, timestamp, body))
}

type Part = (headers: Headers, timestamp: string, body: Buffer) => string | Buffer

const text =
  (literal: string): Part =>
  () =>
    literal

function placeholder(name: string): Part {
  if (name === 'body') return (_headers, _timestamp, body) => body
  if (name === 'timestamp') return (_headers, timestamp) => timestamp
  const key = name.slice('header:'.length).toLowerCase()
  return (headers) => header(headers, key)
}
