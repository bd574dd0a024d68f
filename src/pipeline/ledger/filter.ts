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
      let probe = word(identity, 0)
      const step = word(identity, 4) | 1
      for (let count = 0; count < PROBES; count++) {
        const bit = probe & last
        words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31))
        probe = (probe + step) | 0
      }
    },
    mayHave(identity) {
      let probe = word(identity, 0)
      const step = word(identity, 4) | 1
      for (let count = 0; count < PROBES; count++) {
        const bit = probe & last
        if (((words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
        probe = (probe + step) | 0
      }
      return true
    },
  }
}

/** Four bytes of an identity. They are those of a hash, so no two groups of them know of each other. */
const word = (identity: string, at: number): number =>
  identity.charCodeAt(at) |
  (identity.charCodeAt(at + 1) << 8) |
  (identity.charCodeAt(at + 2) << 16) |
  (identity.charCodeAt(at + 3) << 24)
