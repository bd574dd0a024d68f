/** Bits for each expected entry, and probes for each look-up: about one in 400 strangers is taken for known. */
const BITS = 16
const PROBES = 4

/**
 * A Bloom filter for identities: it tells of nearly all that were never added that they were not. Most events are new,
 * and asking the index for each of them would be a good part of what the ledger costs.
 */
export interface Filter {
  add(identity: string): void
  /** False only where the identity was never added. */
  mayHave(identity: string): boolean
}

/** Beyond `capacity` entries it stays right, and helps less. */
export function createFilter(capacity: number): Filter {
  const bits = 2 ** Math.ceil(Math.log2(Math.max(capacity, 64) * BITS))
  const words = new Int32Array(bits / 32)
  const last = bits - 1

  return {
    add(identity) {
      let probe = fnv(identity, 0)
      const step = fnv(identity, DIGITS) | 1
      for (let count = 0; count < PROBES; count++) {
        const bit = probe & last
        words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31))
        probe = (probe + step) | 0
      }
    },
    mayHave(identity) {
      let probe = fnv(identity, 0)
      const step = fnv(identity, DIGITS) | 1
      for (let count = 0; count < PROBES; count++) {
        const bit = probe & last
        if (((words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
        probe = (probe + step) | 0
      }
      return true
    },
  }
}

/** An identity begins with digits of a SHA-256, so twice so many of them make two hashes that know nothing of each other. */
const DIGITS = 11

/** FNV-1a of some characters. */
function fnv(text: string, from: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < from + DIGITS; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash ^ (hash >>> 15)
}
