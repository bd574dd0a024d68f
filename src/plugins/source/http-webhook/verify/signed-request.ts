import { hash } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { oneOf } from './one-of.js'
import { freshness, requireFew, TimestampUnit, Tolerance } from './signature.js'
import { isForm, SIGNED_TEXT_PATTERN, type Signed, signedText } from './signed-text.js'
import { type Head, HeaderName, header, headerLines, parameter, unauthenticated } from './verifier.js'

const ListKey = (description: string) =>
  Type.String({
    pattern: '^[^=,; ]+$',
    expected: 'the name before the "=" in the list, such as "v1"',
    description,
  })

/** The settings of every scheme that signs parts of the request. */
export const signedRequestSettings = {
  header: HeaderName('The header that has the signature.'),
  listKey: Type.Optional(
    ListKey('If the header is a list such as "t=1700000000,v1=ab12": the key of the signatures.'),
  ),
  separator: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'If the header is a list of signatures without keys: the text between them, such as " ". One right signature is enough.',
    }),
  ),
  prefix: Type.String({ default: '', description: 'The text before the signature, such as "sha256=".' }),
  encoding: Type.Enum(['hex', 'base64', 'base64url'], {
    default: 'hex',
    description: 'How the signature is written.',
  }),
  signed: Type.String({
    pattern: SIGNED_TEXT_PATTERN,
    expected:
      'text with {body}, and with the other signed parts: {timestamp}, {method}, {url}, {path}, {query}, {form}, {header:NAME}',
    default: '{body}',
    description:
      'The signed text: any text with these placeholders in it. {form} is the parameters of a form-encoded body, sorted by name, each name followed by its value; for {url}, set `publicUrl`.',
  }),
  bodyDigest: Type.Optional(
    Type.Object(
      {
        query: Type.String({
          minLength: 1,
          description: 'The parameter of the query that has the SHA-256 of the body, in hexadecimal.',
        }),
      },
      {
        additionalProperties: false,
        description:
          'If the sender signs {url} and the URL has a digest of the body in it (Twilio, for a body that is no form).',
      },
    ),
  ),
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
}

const SignedRequest = Type.Object(signedRequestSettings)
export type SignedRequestSettings = Static<typeof SignedRequest>

/** The claim of a request that its sender has signed it. */
interface Claim {
  readonly signed: Signed
  /** As they are written, without the prefix. */
  readonly signatures: readonly string[]
}

/** Compiles the function that finds the signatures of a request and the text that they have to be of. */
export function signedRequest(
  { prefix, signed, bodyDigest, timestamp, separator, ...settings }: SignedRequestSettings,
  publicUrl: string | undefined,
): (request: Head, body: Buffer) => Claim {
  const name = settings.header.toLowerCase()
  const signaturesIn = valuesIn(name, settings.listKey, separator)
  const timestampIn = timestampReader(name, timestamp)
  const checkFreshness = timestamp === undefined ? undefined : freshness(timestamp.unit, timestamp.tolerance)
  const textOf = signedText(signed, publicUrl)
  const requireDigest = signed.includes('{body}') ? undefined : digestCheck(signed, bodyDigest?.query)
  return (request, body) => {
    const signatures = signaturesIn(request)
      .filter((signature) => signature.startsWith(prefix))
      .map((signature) => signature.slice(prefix.length))
    if (signatures.length === 0)
      throw unauthenticated(`The header ${name} has no signature that starts with "${prefix}".`)
    requireFew(signatures, name)
    const time = timestampIn(request)
    checkFreshness?.(time)
    requireDigest?.(request, body)
    return { signed: textOf(request, time, body), signatures }
  }
}

/** The body of each request must be signed: as a form, or by a digest in the signed URL. */
function digestCheck(signed: string, name: string | undefined): (request: Head, body: Buffer) => void {
  const signsForm = signed.includes('{form}')
  return (request, body) => {
    const isSigned = signsForm && isForm(request)
    if (isSigned && (name === undefined || !request.parameters.has(name))) return
    if (name === undefined) throw unauthenticated('The body is not form-encoded, so it is not signed.')
    if (!oneOf([hash('sha256', body, 'hex')])(parameter(request, name).toLowerCase()))
      throw unauthenticated(`The parameter ${name} of the query is not the SHA-256 of the body.`)
  }
}

function timestampReader(
  signatureHeader: string,
  timestamp: SignedRequestSettings['timestamp'],
): (request: Head) => string {
  if (timestamp?.header !== undefined) {
    const name = timestamp.header.toLowerCase()
    return (request) => header(request, name)
  }
  if (timestamp?.listKey === undefined) return () => ''
  const { listKey } = timestamp
  const values = valuesIn(signatureHeader, listKey, undefined)
  return (request) => {
    const [value, ...others] = values(request)
    if (value === undefined) throw missing(signatureHeader, listKey)
    if (others.length > 0)
      throw unauthenticated(`The header ${signatureHeader} has more than one "${listKey}=".`)
    return value
  }
}

/** The one value of a header, all elements of its list, or all values of a key in its list. */
function valuesIn(
  name: string,
  listKey: string | undefined,
  separator: string | undefined,
): (request: Head) => string[] {
  if (listKey === undefined)
    return separator === undefined
      ? (request) => [header(request, name)]
      : (request) => headerLines(request, name).split(separator)
  const start = `${listKey}=`
  return (request) => {
    const values = headerLines(request, name)
      .split(/[,;] */)
      .filter((member) => member.startsWith(start))
      .map((member) => member.slice(start.length))
    if (values.length === 0) throw missing(name, listKey)
    return values
  }
}

const missing = (name: string, listKey: string) => unauthenticated(`The header ${name} has no "${listKey}=".`)
