import { hash } from 'node:crypto'

/** So many of its first bytes are kept of an identity: 128 bits tell events apart, and keep the index small. */
export const IDENTITY_BYTES = 16

/**
 * Same id and same bytes: the same event. An id alone may name a definition that many events share. `digest` is that of
 * the bytes. The result has a character from 0 to 255 for each of its bytes, of which only the first IDENTITY_BYTES
 * count: cut off it would take more memory, as a part of the whole text.
 */
export const identityOf = (digest: string, id: string): string => hash('sha256', digest + id, 'binary')
