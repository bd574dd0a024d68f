import type { CheckContext, ConfigProblem, Files } from '../../../contract/index.js'
import { isLoopback } from '../../../lib/loopback.js'
import { parseNetwork } from '../../../lib/networks.js'
import { splitting } from './batch.js'
import { pointersOf } from './event-id.js'
import type { Settings } from './settings.js'
import type { ApiKeySettings } from './verify/api-key.js'
import type { HmacSettings } from './verify/hmac.js'
import { keysIn } from './verify/jwks.js'
import type { JwtSettings } from './verify/jwt.js'
import { publicKeyOf } from './verify/public-key.js'
import { decodeSecret } from './verify/signature.js'
import type { SignedRequestSettings } from './verify/signed-request.js'
import { type StandardWebhooksSettings, standardPublicKey } from './verify/standard-webhooks.js'

/** Settings that fit the schema and cannot be used. */
export function* verifyProblems(
  { verify, publicUrl }: Pick<Settings, 'verify' | 'publicUrl'>,
  { exposed, files }: Pick<CheckContext, 'exposed' | 'files'>,
): Iterable<ConfigProblem> {
  switch (verify.scheme) {
    case 'hmac':
      yield* signedRequestProblems(verify, publicUrl)
      yield* secretProblems(verify)
      break
    case 'ed25519':
    case 'ecdsa-p256':
      yield* signedRequestProblems(verify, publicUrl)
      yield* keyProblems(verify.publicKeys, (text) => publicKeyOf(text, verify.scheme), KEY_OF[verify.scheme])
      break
    case 'standard-webhooks':
      yield* standardWebhooksProblems(verify)
      break
    case 'api-key':
      yield* apiKeyProblems(verify)
      break
    case 'jwt':
      yield* jwtProblems(verify, files)
      break
    case 'none':
      if (exposed) yield unverified
  }
}

/** Secrets that no place has taken. */
export function* secretsProblems({ sender, secrets }: Settings): Iterable<ConfigProblem> {
  if (secrets === undefined) return
  yield {
    at: '/secrets',
    code: 'HG_CONFIG_CONFLICT',
    message:
      sender === undefined
        ? '`secrets` belongs to a `sender`, and there is none: name it, or put the secrets into `verify`.'
        : 'Nothing uses these secrets: `verify` has its own.',
  }
}

/** Settings of a handshake that fit the schema and cannot be used with those of `verify`. */
export function* handshakeProblems({
  handshake,
  verify,
}: Pick<Settings, 'handshake' | 'verify'>): Iterable<ConfigProblem> {
  const problem = (at: string, message: string): ConfigProblem => ({
    at: `/handshake${at}`,
    code: 'HG_CONFIG_CONFLICT',
    message,
  })
  if (handshake === undefined) return
  if (handshake.form !== 'body') {
    if (handshake.verified && verify.scheme === 'body-field')
      yield problem(
        '',
        'The request of the handshake has no body that could prove its sender: set `verified` to false.',
      )
    return
  }
  if (handshake.hmac === undefined) return
  if (verify.scheme !== 'hmac')
    yield problem('/hmac', 'The HMAC of the handshake is made with the secret of the scheme "hmac".')
  if (handshake.member === undefined || handshake.value === undefined)
    yield problem('/hmac', 'A response with an HMAC is a JSON object: name `value`, and its `member`.')
}

/** Settings of bodies that fit the schema and cannot be used with others. */
export function* bodyProblems({
  body: { formats, value, jsonField },
  split: written,
  eventId,
  verify,
  handshake,
}: Pick<Settings, 'body' | 'split' | 'eventId' | 'verify' | 'handshake'>): Iterable<ConfigProblem> {
  const split = splitting(written)
  const problem = (at: string, message: string): ConfigProblem => ({
    at,
    code: 'HG_CONFIG_CONFLICT',
    message,
  })
  if (jsonField !== undefined && !formats.includes('form'))
    yield problem('/body/jsonField', 'Only a form has a field with JSON, and `formats` does not have "form".')
  if (value === 'json' && formats.includes('raw'))
    yield problem('/body/value', 'A raw body is not decoded: it has no JSON. Use "sent".')
  if (split !== undefined && eventId !== 'digest' && eventId !== 'new' && pointersOf(eventId).length === 0)
    yield problem(
      '/eventId',
      'All items of a batch would have the same id: it has to be in the item. With "split": {"enabled": false}, a request is one event.',
    )
  if (formats.includes('ndjson')) {
    if (split === undefined)
      yield problem('/body/formats', 'JSON in lines is split into its lines: set `split`.')
    if (verify.scheme === 'body-field')
      yield problem('/verify/scheme', 'JSON in lines has no place of its own in which a secret could be.')
    if (handshake?.form === 'body')
      yield problem(
        '/handshake/form',
        'JSON in lines has no place of its own by which a handshake could be recognised.',
      )
  }
  if (formats.some((format) => format !== 'raw')) return
  if (split !== undefined) yield problem('/split', 'A raw body has no content that could be split.')
  if (pointersOf(eventId).length > 0)
    yield problem(
      '/eventId',
      'A raw body has no content in which the id could be: use "header:NAME", "query:NAME", "digest" or "new".',
    )
  if (verify.scheme === 'body-field')
    yield problem('/verify/scheme', 'A raw body has no content in which a secret could be.')
  if (handshake?.form === 'body')
    yield problem('/handshake/form', 'A raw body has no content by which a handshake could be recognised.')
}

/** Networks that have the form of one and are none. */
export function* networkProblems(settings: Settings): Iterable<ConfigProblem> {
  yield* listProblems('/trustedProxies', settings.trustedProxies)
  yield* listProblems('/allow', settings.allow)
}

function* listProblems(at: string, networks: readonly string[] = []): Iterable<ConfigProblem> {
  for (const [index, text] of networks.entries()) {
    if (parseNetwork(text) !== undefined) continue
    yield {
      at: `${at}/${index}`,
      code: 'HG_CONFIG_VALUE',
      message: `${JSON.stringify(text)} is neither an IP address nor a network.`,
      expected: 'an address, and the number of bits that all addresses of the network share: "10.0.0.0/8"',
    }
  }
}

/** Schemes of `verify` by which each sender can have a key of its own, which its requests show. */
const KEYED: readonly string[] = ['bearer', 'basic', 'api-key']

export function* rateLimitProblems({ rateLimit, verify }: Settings): Iterable<ConfigProblem> {
  if (rateLimit?.key === undefined || KEYED.includes(verify.scheme)) return
  yield {
    at: '/rateLimit/key',
    code: 'HG_CONFIG_CONFLICT',
    message: `A request by the scheme "${verify.scheme}" shows no key: use the limit "pipeline" or "address", or a pipeline for each sender.`,
  }
}

const unverified: ConfigProblem = {
  at: '/verify',
  code: 'HG_CONFIG_UNVERIFIED',
  message: 'Anyone could send events: the listener is not on loopback and senders are not verified.',
  expected: 'a scheme that verifies the sender, such as "bearer", "hmac" or "standard-webhooks"',
}

const conflict = (pointer: string, message: string): ConfigProblem => ({
  at: `/verify${pointer}`,
  code: 'HG_CONFIG_CONFLICT',
  message,
})

function* signedRequestProblems(
  { signed, bodyDigest, timestamp, listKey, separator }: SignedRequestSettings,
  publicUrl: string | undefined,
): Iterable<ConfigProblem> {
  if (listKey !== undefined && separator !== undefined)
    yield conflict(
      '/separator',
      'A list with keys is separated by "," or ";": remove `separator` or `listKey`.',
    )
  if (signed.includes('{url}') && publicUrl === undefined)
    yield conflict('/signed', '`signed` has {url}, but `publicUrl` of the source is missing.')
  if (bodyDigest === undefined && !/\{(body|form)\}/.test(signed))
    yield conflict('/signed', 'The body is not signed: `signed` has no {body}, and `bodyDigest` is missing.')
  if (bodyDigest !== undefined && !/\{(url|query)\}/.test(signed))
    yield conflict('/bodyDigest', 'The digest is not signed: `signed` has neither {url} nor {query}.')
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

function* secretProblems({ secrets, secretEncoding }: HmacSettings): Iterable<ConfigProblem> {
  for (const [index, secret] of secrets.entries()) {
    if ((decodeSecret(secret, secretEncoding)?.length ?? 0) > 0) continue
    yield {
      at: `/verify/secrets/${index}`,
      code: 'HG_CONFIG_VALUE',
      message: `The secret is not written in ${secretEncoding === 'hex' ? 'hexadecimal' : 'base64'}, as \`secretEncoding\` says.`,
    }
  }
}

const KEY_OF = { ed25519: 'an Ed25519', 'ecdsa-p256': 'a P-256' } as const

function* keyProblems(
  keys: readonly string[],
  read: (text: string) => unknown,
  kind: string,
): Iterable<ConfigProblem> {
  for (const [index, text] of keys.entries()) {
    if (read(text) !== undefined) continue
    yield {
      at: `/verify/publicKeys/${index}`,
      code: 'HG_CONFIG_VALUE',
      message: `This is not ${kind} public key.`,
      expected: 'PEM, or base64 or hexadecimal of the DER form or of the raw key',
    }
  }
}

function* standardWebhooksProblems({
  secrets,
  publicKeys = [],
}: StandardWebhooksSettings): Iterable<ConfigProblem> {
  if (secrets === undefined && publicKeys.length === 0)
    yield {
      at: '/verify',
      code: 'HG_CONFIG_MISSING_KEY',
      message: 'There is no key to verify signatures with.',
      expected: '"secrets" for signatures "v1", or "publicKeys" for signatures "v1a"',
    }
  yield* keyProblems(publicKeys, standardPublicKey, KEY_OF.ed25519)
}

function* apiKeyProblems({ header, query }: ApiKeySettings): Iterable<ConfigProblem> {
  if ((header === undefined) === (query === undefined))
    yield conflict('', 'The scheme "api-key" needs either `header` or `query`, and not both.')
}

function* jwtProblems({ keys: { url, file } }: JwtSettings, files: Files): Iterable<ConfigProblem> {
  if ((url === undefined) === (file === undefined))
    yield conflict('/keys', '`keys` needs either `url` or `file`, and not both.')
  if (url !== undefined && !isSafeUrl(url))
    yield {
      at: '/verify/keys/url',
      code: 'HG_CONFIG_VALUE',
      message: 'Over plain HTTP, anyone on the way can replace the keys.',
      expected: 'a URL that begins with "https://"',
    }
  if (file !== undefined && !hasPublicKeys(files.read(file)))
    yield {
      at: '/verify/keys/file',
      code: 'HG_CONFIG_VALUE',
      message: 'The file has no JSON Web Key Set.',
      expected: '{"keys": [...]} with public keys',
    }
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

const hasPublicKeys = (text: string): boolean => keysIn(text)?.every((key) => !('d' in key)) ?? false
