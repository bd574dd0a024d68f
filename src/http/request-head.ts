import { HeadgateError } from '../contract/errors.js'
import type { Incoming } from './message.js'

/** As Apache httpd has it by default. node:http drops further ones without an error. */
export const MAX_HEADERS = 100
/** host and port of RFC 9110, 7.2. It may be empty. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[0-9a-f:.]+\])(?::\d*)?$/i

/** The last valid one: most senders name the same. */
let lastHost = ''

/**
 * The reason to refuse a request for its head, although the HTTP parser accepted it. It is not certain where the body of such
 * a request ends, or the sender and a proxy may disagree on it (RFC 9112, 11.2): its connection is closed.
 */
export function headError({
  httpVersion,
  headers,
  rawHeaders,
}: Pick<Incoming, 'httpVersion' | 'headers' | 'rawHeaders'>): HeadgateError | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return unsupportedVersion(httpVersion)
  if (rawHeaders.length > 2 * MAX_HEADERS) return tooManyHeaders()
  const { host, 'transfer-encoding': transferEncoding } = headers
  if (host === undefined && httpVersion === '1.1') return malformed('the Host header is missing')
  if (host !== undefined && host !== lastHost) {
    if (!HOST.test(host)) return noHost()
    lastHost = host
  }
  // node:http keeps the first and forgets the others.
  if (isRepeated(rawHeaders, 'host')) return malformed('there are two Host headers')
  if (transferEncoding === undefined) return undefined
  if (httpVersion === '1.0') return malformed('Transfer-Encoding is not part of HTTP/1.0')
  if (transferEncoding.toLowerCase() === 'chunked') return undefined
  return new HeadgateError(
    'HG_INTAKE_TRANSFER_ENCODING',
    'The only Transfer-Encoding that is accepted is chunked.',
  )
}

/** Of method, path, scheme and authority. */
const PSEUDO_HEADERS = 4

/**
 * The reason to refuse a request of HTTP/2 for its head. nghttp2 has reset the streams of those that lack a part, have one
 * twice, or have headers that only HTTP/1 allows.
 */
export function streamHeadError(
  {
    method,
    headers,
    rawHeaders,
    authority,
  }: Pick<Incoming, 'method' | 'headers' | 'rawHeaders'> & {
    readonly authority: string | undefined
  },
  maxHeaderSize: number,
): HeadgateError | undefined {
  if (headerBytes(rawHeaders) > maxHeaderSize) return headersTooLarge
  if (rawHeaders.length > 2 * (MAX_HEADERS + PSEUDO_HEADERS)) return tooManyHeaders()
  if (method === 'CONNECT') return noTunnels
  const { host } = headers
  if (host === undefined) return malformed('the Host header is missing')
  if (host !== lastHost) {
    if (!HOST.test(host)) return noHost()
    lastHost = host
  }
  if (isRepeated(rawHeaders, 'host')) return malformed('there are two Host headers')
  // RFC 9113, 8.3.1: a proxy may have gone by the one, and a signature may cover the other.
  if (authority !== undefined && authority !== host) return malformed('Host and :authority differ')
  return undefined
}

/** The size of headers as lines of HTTP/1. */
export function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length + 2
  return bytes
}

export const headersTooLarge = new HeadgateError(
  'HG_INTAKE_HEADERS_TOO_LARGE',
  'The request headers are too large.',
)
export const noTunnels = new HeadgateError(
  'HG_INTAKE_METHOD',
  'The method is CONNECT; Headgate is not a proxy.',
)

const tooManyHeaders = (): HeadgateError =>
  new HeadgateError('HG_INTAKE_HEADERS_TOO_LARGE', `The request has more than ${MAX_HEADERS} header lines.`)

const noHost = (): HeadgateError => malformed('the Host header is not a host and port')

/** `version` is undefined if the HTTP parser does not tell it. */
export const unsupportedVersion = (version?: string): HeadgateError =>
  new HeadgateError(
    'HG_INTAKE_HTTP_VERSION',
    `The request uses ${version === undefined ? 'another version of HTTP' : `HTTP/${version}`}; expected HTTP/1.1 or HTTP/1.0.`,
  )

const malformed = (reason: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_MALFORMED', `The request is malformed: ${reason}.`)

/** Whether there are several lines of a header. `rawHeaders`: names and values, alternately. */
export function isRepeated(rawHeaders: readonly string[], header: string): boolean {
  let found = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== header.length || name.toLowerCase() !== header) continue
    if (found) return true
    found = true
  }
  return false
}

/** The absolute form of a request target (RFC 9112, 3.2.2), which some proxies send: the path follows the host. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]+/i

/** Path and query of a request target exactly as they were sent: nothing is decoded or normalised. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const origin = target.replace(ABSOLUTE_FORM, '')
  return origin === '' || origin.startsWith('?') ? `/${origin}` : origin
}

/** The path of a request target. */
export function pathOf(target: string): string {
  const origin = originForm(target)
  const query = origin.indexOf('?')
  return query === -1 ? origin : origin.slice(0, query)
}
