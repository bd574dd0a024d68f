/** Counts events that have the id of an earlier one and other bytes, as far as a table of a fixed size can tell. */
export interface OtherBytes {
  see(id: string, digest: string): void
  count(): number
}

/** 128 KiB. An id that is not among the last that shared its slot counts as new. */
const SLOTS = 2 ** 14

/** Nothing rests on these counts, so the ids are told apart by two quick hashes (FNV-1a and a variant) of 32 bits. */
export function createOtherBytes(): OtherBytes {
  let slots: Int32Array | undefined
  let count = 0
  return {
    see(id, digest) {
      slots ??= new Int32Array(SLOTS * 2)
      let one = 0x811c9dc5
      let other = 0x2f1b5e37
      for (let at = 0; at < id.length; at++) {
        const code = id.charCodeAt(at)
        one = Math.imul(one ^ code, 0x01000193)
        other = Math.imul(other ^ code, 0x85ebca6b) ^ (other >>> 15)
      }
      const slot = ((one ^ (one >>> 16)) & (SLOTS - 1)) * 2
      const bytes =
        digest.charCodeAt(0) |
        (digest.charCodeAt(1) << 8) |
        (digest.charCodeAt(2) << 16) |
        (digest.charCodeAt(3) << 24)
      if (slots[slot] === other && slots[slot + 1] !== bytes) count++
      slots[slot] = other
      slots[slot + 1] = bytes
    },
    count: () => count,
  }
}
