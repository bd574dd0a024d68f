import { isIPv6 } from 'node:net'
import type { HttpHead } from '../contract/index.js'
import { canonicalAddress } from '../lib/networks.js'

/**
 * The address of the sender of a request that came from `peer`: that address, unless it is the one of a trusted proxy. Then it is the
 * right-most address that is not, of those that the proxies wrote into Forwarded (RFC 7239) or X-Forwarded-For: everything to
 * the left of it may be the invention of the sender. Undefined if it is not certain: the header is malformed at this place or has
 * something that is no address there. A proxy writes one of the two headers and may pass on the other as the sender wrote it, so
 * with both they have to agree.
 */
export function senderAddress(
  peer: string,
  { forwarded, 'x-forwarded-for': list }: HttpHead['headers'],
  trusts: (address: string) => boolean,
): string | undefined {
  if ((forwarded === undefined && list === undefined) || !trusts(peer)) return peer
  const sender = forwarded === undefined ? undefined : rightmost(nodesOf(String(forwarded)), trusts)
  if (list === undefined) return sender
  const listed = rightmost(String(list).split(','), trusts)
  return forwarded === undefined || listed === sender ? listed : undefined
}

/** The last address that is not trusted; the first one if all are. */
function rightmost(nodes: readonly string[], trusts: (address: string) => boolean): string | undefined {
  let address: string | undefined
  for (let index = nodes.length - 1; index >= 0; index--) {
    address = addressOf((nodes[index] as string).trim())
    if (address === undefined || !trusts(address)) return address
  }
  return address
}

/** A node of RFC 7239, or an address as X-Forwarded-For has it. Some proxies add the port there, too. */
const NODE = /^(?:\[([0-9A-Fa-f:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::(?:\d{1,5}|_[\w.-]+))?$/

function addressOf(node: string): string | undefined {
  const [, inBrackets, dotted] = NODE.exec(node) ?? []
  if (inBrackets !== undefined && !isIPv6(inBrackets)) return undefined
  return canonicalAddress(inBrackets ?? dotted ?? node)
}

/** A parameter of Forwarded, and whether the element, or the list, ends after it. */
const PARAMETER = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y

/** The parameter `for` of each element, empty if it has none; nothing if the header is malformed. */
function nodesOf(forwarded: string): readonly string[] {
  const nodes: string[] = []
  let node: string | undefined
  PARAMETER.lastIndex = 0
  for (;;) {
    // Read from the left: an open quotation mark of the sender must not hide the elements of proxies.
    const parameter = PARAMETER.exec(forwarded)
    if (parameter === null) return []
    const [, name = '', token, quoted = '', end] = parameter
    if (name.toLowerCase() === 'for') {
      if (node !== undefined) return []
      node = token ?? quoted.replace(/\\(.)/g, '$1')
    }
    if (end === ';') continue
    nodes.push(node ?? '')
    node = undefined
    if (end === '') return nodes
  }
}
