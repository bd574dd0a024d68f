import { hash } from 'node:crypto'

/** Deliveries that have this in common are deliveries of one event: the setting `redelivery.by`. */
export type DedupBy = 'id+bytes' | 'id'

/** Bytes of an identity that the index keeps: 128 bits tell events apart and keep it small. */
export const IDENTITY_BYTES = 16

/** The digest of an event's bytes as they were received; with the id it identifies the event. */
export const digestOf = (bytes: Buffer): string => hash('sha256', bytes, 'base64url')

/**
 * With `id+bytes`, the same id and the same bytes are the same event: an id alone may name a definition that many events
 * share. The result has a character from 0 to 255 for each of its bytes, of which only the first IDENTITY_BYTES count: a
 * substring would take more memory, because it keeps the whole text.
 */
export const identityOf = (digest: string, id: string, by: DedupBy = 'id+bytes'): string =>
  hash('sha256', by === 'id' ? `id\n${id}` : digest + id, 'binary')

/** 128 KiB. An id counts as new if other ids that share its slot have come since. */
const SLOTS = 2 ** 14

/**
 * Counts events that reuse the id of an earlier event with other bytes, as far as a table of a fixed size can tell. The
 * count is only shown, so two quick hashes (FNV-1a and a variant) of 32 bits are good enough to tell ids apart.
 */
export class IdReuseCounter {
  #slots: Int32Array | undefined
  #count = 0

  get count(): number {
    return this.#count
  }

  see(id: string, digest: string): void {
    this.#slots ??= new Int32Array(SLOTS * 2)
    const slots = this.#slots
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
    if (slots[slot] === other && slots[slot + 1] !== bytes) this.#count++
    slots[slot] = other
    slots[slot + 1] = bytes
  }
}
