const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a with 32 bits. A loop of our own: a call into zlib costs more than a row has bytes. Continues `from` where it is given. */
export function checksum(bytes: Uint8Array, from = OFFSET_BASIS): number {
  let hash = from
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  return hash >>> 0
}

/**
 * Of a row of a table. The checksum of a table is the sum of those of its rows, so that a change of one row does not need
 * the others. The last steps (of MurmurHash3) spread differences over all bits: they must not cancel out in the sum.
 */
export function rowChecksum(key: Uint8Array, value: Uint8Array): number {
  let hash = checksum(value, checksum(key))
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
