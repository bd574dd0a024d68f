import { createHmac, hash, type KeyObject, sign as signBytes } from 'node:crypto'
import { pointer } from '../../../../lib/json/pointer.js'
import type { Settings } from '../settings.js'
import type { VerifySettings } from '../verify/schemes.js'
import { decodeSecret } from '../verify/signature.js'
import type { SignedRequestSettings } from '../verify/signed-request.js'
import { isForm, signedText } from '../verify/signed-text.js'
import type { Head } from '../verify/verifier.js'
import { bodyText } from './body-text.js'
import { type SimulatedRequest, withValue } from './request.js'

/** A request with everything that proves its sender. */
export interface ProvedRequest extends Omit<SimulatedRequest, 'body'> {
  readonly body: string
}

/** The settings of a source that say how its sender proves itself. */
type Proved = Pick<Settings, 'path' | 'verify'> & { readonly publicUrl?: string }

/** Whether the proof depends on the time, so that a scenario cannot keep it. */
export const proofExpires = (verify: VerifySettings): boolean =>
  verify.scheme === 'standard-webhooks' ||
  verify.scheme === 'jwt' ||
  ('signed' in verify && 'timestamp' in verify)

/**
 * Proves requests as the settings of `verify` expect it: the other side of `verifier`, with the first of the secrets.
 * `privateKey`: of the public key in the settings.
 */
export function prover(
  settings: Proved,
  privateKey?: KeyObject,
): (request: SimulatedRequest) => ProvedRequest {
  const { verify } = settings
  switch (verify.scheme) {
    case 'bearer':
      return withHeader('Authorization', `Bearer ${verify.tokens[0]}`)
    case 'basic':
      return withHeader('Authorization', `Basic ${base64(String(verify.credentials[0]))}`)
    case 'api-key': {
      const [key = ''] = verify.keys
      if (verify.header !== undefined) return withHeader(verify.header, key)
      return (request) =>
        written({ ...request, query: withParameter(request.query, String(verify.query), key) })
    }
    case 'body-field': {
      const { tokens } = pointer(verify.at)
      return (request) =>
        written({ ...request, body: withValue(request.body, tokens, verify.secrets[0]) as object })
    }
    case 'standard-webhooks':
      return byStandardWebhooks(verify)
    case 'hmac': {
      const key = decodeSecret(String(verify.secrets[0]), verify.secretEncoding) ?? ''
      return signing(verify, settings, (text) => createHmac(verify.algorithm, key).update(text).digest())
    }
    case 'ed25519':
    case 'ecdsa-p256': {
      if (privateKey === undefined) return written
      const dsaEncoding =
        'signatureFormat' in verify && verify.signatureFormat === 'raw' ? 'ieee-p1363' : 'der'
      const algorithm = verify.scheme === 'ed25519' ? null : 'sha256'
      return signing(verify, settings, (text) => signBytes(algorithm, text, { key: privateKey, dsaEncoding }))
    }
    case 'jwt':
    case 'none':
      return written
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The request as it goes over the wire, without a proof. */
export const written = ({ body, ...request }: SimulatedRequest): ProvedRequest => ({
  ...request,
  body: body === undefined ? '' : bodyText(request.headers, body),
})

const withHeader = (name: string, value: string) => (request: SimulatedRequest) =>
  written({ ...request, headers: { ...request.headers, [name]: value } })

const withParameter = (query: string, name: string, value: string): string =>
  [...(query === '' ? [] : [query]), new URLSearchParams({ [name]: value })].join('&')

function byStandardWebhooks({
  headerPrefix,
  secrets = [],
}: VerifySettings & { readonly scheme: 'standard-webhooks' }) {
  const key = decodeSecret(String(secrets[0]), 'whsec') ?? ''
  return (request: SimulatedRequest): ProvedRequest => {
    const { headers, ...others } = written(request)
    const id = headers[`${headerPrefix}id`] ?? 'msg_1'
    const timestamp = String(Math.floor(Date.now() / 1000))
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${others.body}`).digest('base64')
    return {
      ...others,
      headers: {
        ...headers,
        [`${headerPrefix}id`]: id,
        [`${headerPrefix}timestamp`]: timestamp,
        [`${headerPrefix}signature`]: `v1,${signature}`,
      },
    }
  }
}

/** A scheme that signs parts of the request. */
function signing(
  { header, listKey, prefix, encoding, signed, bodyDigest, timestamp }: SignedRequestSettings,
  { path, publicUrl }: Proved,
  sign: (text: Buffer) => Buffer,
): (request: SimulatedRequest) => ProvedRequest {
  const textOf = signedText(signed, publicUrl)
  return (unproved) => {
    const request = written(unproved)
    const query =
      bodyDigest === undefined || isForm(headOf(path, request))
        ? request.query
        : withParameter(request.query, bodyDigest.query, hash('sha256', request.body))
    const time = timestamp === undefined ? '' : now(timestamp.unit)
    const headers = {
      ...request.headers,
      ...(timestamp?.header !== undefined && { [timestamp.header]: time }),
    }
    const proved = { ...request, query, headers }
    const text = textOf(headOf(path, proved), time, Buffer.from(request.body))
    const signature = sign(Buffer.concat(text.map((part) => Buffer.from(part)))).toString(encoding)
    const members = [
      ...(timestamp?.listKey === undefined ? [] : [`${timestamp.listKey}=${time}`]),
      `${listKey === undefined ? '' : `${listKey}=`}${prefix}${signature}`,
    ]
    return { ...proved, headers: { ...headers, [header]: members.join(',') } }
  }
}

function now(unit: 'seconds' | 'milliseconds' | 'rfc3339'): string {
  if (unit === 'rfc3339') return new Date().toISOString()
  return String(unit === 'seconds' ? Math.floor(Date.now() / 1000) : Date.now())
}

/** The request as the receiver sees it. */
const headOf = (path: string, { method, query, headers }: ProvedRequest): Head => ({
  method,
  target: query === '' ? path : `${path}?${query}`,
  path,
  query,
  parameters: new URLSearchParams(query),
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  isRepeated: () => false,
})
