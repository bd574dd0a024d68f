import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { Type } from './json/pointer.js'

/** An IPv6 address that stands for one of IPv4, as a socket for both has it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/

/** An IP address as everything here compares and shows it, one of IPv4 as such; undefined if the text is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  return MAPPED.exec(address)?.[1] ?? address
}

export interface Network {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  /** How many bits all addresses of it share. */
  readonly prefix: number
}

const NETWORK = '^([0-9A-Fa-f.:]+)(?:/(0|[1-9][0-9]{0,2}))?$'

/** A setting that is a list of networks. */
export const NetworkList = (description: string) =>
  Type.Array(
    Type.String({
      pattern: NETWORK,
      expected: 'a network such as "10.0.0.0/8" or "2001:db8::/32", or an address',
    }),
    { minItems: 1, uniqueItems: true, description },
  )

/** Undefined if the text is no network. One that is written as mapped to IPv6 is one of IPv4. */
export function parseNetwork(text: string): Network | undefined {
  const [, base = '', length] = new RegExp(NETWORK).exec(text) ?? []
  const address = canonicalAddress(base)
  if (address === undefined) return undefined
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  const bits = family === 'ipv4' ? 32 : 128
  const prefix = length === undefined ? bits : Number(length) - (family === 'ipv4' && isIPv6(base) ? 96 : 0)
  return prefix >= 0 && prefix <= bits ? { address, family, prefix } : undefined
}

/** Bits that the addresses of the largest private networks share: 10.0.0.0/8 and fc00::/7. */
const LARGEST_PRIVATE = { ipv4: 8, ipv6: 7 }

/** Whether a network is larger than any private one, so that strangers are in it. */
export function hasStrangers(text: string): boolean {
  const network = parseNetwork(text)
  return network !== undefined && network.prefix < LARGEST_PRIVATE[network.family]
}

/** A list of networks that was checked. */
export class Networks {
  /** One of each family: a BlockList takes `::/0` for a network of IPv4 addresses, too. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() }

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const { address, family, prefix } = parseNetwork(text) as Network
      this.#lists[family].addSubnet(address, prefix, family)
    }
  }

  /** `address`: a canonical one. */
  has(address: string): boolean {
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    return this.#lists[family].check(address, family)
  }
}
