import { canonicalAddress } from '../lib/networks.js'

/**
 * The header by which a load balancer tells the address of a connection that it passes on
 * (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt), in version 1 (a line of text) or 2 (bytes).
 */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'complete'
      /** Bytes of the header. */
      readonly length: number
      /** Undefined if the connection is one of the load balancer itself, or not of TCP. */
      readonly address: string | undefined
    }

const SIGNATURE_1 = Buffer.from('PROXY ')
const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n')

/** Reads the header at the beginning of what has arrived. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAs(bytes, SIGNATURE_2)) return readVersion2(bytes)
  if (startsAs(bytes, SIGNATURE_1)) return readVersion1(bytes)
  return malformed('it is missing')
}

/** Whether the bytes begin with the signature, as far as they have arrived. */
function startsAs(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.compare(signature, 0, length, 0, length) === 0
}

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const malformed = (reason: string): ProxyHeader => ({ kind: 'malformed', reason })

/** With the line feed. */
const LONGEST_LINE = 107
const LINE =
  /^PROXY (?:(UNKNOWN)(?: [ -~]*)?|TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) \d{1,5} \d{1,5})\r\n$/

function readVersion1(bytes: Buffer): ProxyHeader {
  const length = bytes.subarray(0, LONGEST_LINE).indexOf('\n') + 1
  if (length === 0) return bytes.length < LONGEST_LINE ? INCOMPLETE : malformed('its line is too long')
  const line = LINE.exec(bytes.toString('latin1', 0, length))
  if (line === null) return malformed('its line is not that of version 1')
  const [, unknown, , source = ''] = line
  if (unknown !== undefined) return { kind: 'complete', length, address: undefined }
  const address = canonicalAddress(source)
  return address === undefined ? malformed('its address is none') : { kind: 'complete', length, address }
}

/** Signature, version and command, family and protocol, length of the rest. */
const FIXED = 16
/** The addresses take at most 216 bytes; the others are for data about the connection, which is skipped. */
const MOST_REST = 4096
const LOCAL = 0x20
const PROXY = 0x21
const TCP_OVER = { ipv4: 0x11, ipv6: 0x21 }

function readVersion2(bytes: Buffer): ProxyHeader {
  if (bytes.length < FIXED) return INCOMPLETE
  const command = bytes.readUInt8(12)
  if (command !== LOCAL && command !== PROXY) return malformed('its version or command is unknown')
  const rest = bytes.readUInt16BE(14)
  if (rest > MOST_REST) return malformed('it is too long')
  const length = FIXED + rest
  if (bytes.length < length) return INCOMPLETE
  if (command === LOCAL) return { kind: 'complete', length, address: undefined }
  switch (bytes.readUInt8(13)) {
    case TCP_OVER.ipv4:
      if (rest < 12) return malformed('its addresses are cut short')
      return { kind: 'complete', length, address: bytes.subarray(FIXED, FIXED + 4).join('.') }
    case TCP_OVER.ipv6: {
      if (rest < 36) return malformed('its addresses are cut short')
      const hex = bytes.toString('hex', FIXED, FIXED + 16)
      return { kind: 'complete', length, address: canonicalAddress((hex.match(/.{4}/g) ?? []).join(':')) }
    }
    default:
      return { kind: 'complete', length, address: undefined }
  }
}
