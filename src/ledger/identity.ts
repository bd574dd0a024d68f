import { hash } from 'node:crypto'

/** So many of its first bytes are kept of an identity: 128 bits tell events apart, and keep the index small. */
export const IDENTITY_BYTES = 16

/** What two deliveries of one event have in common: the setting `redelivery.by`. */
export type RecognisedBy = 'id+bytes' | 'id'

/**
 * With `id+bytes`, same id and same bytes are the same event: an id alone may name a definition that many events share.
 * `digest` is that of the bytes. The result has a character from 0 to 255 for each of its bytes, of which only the first
 * IDENTITY_BYTES count: cut off it would take more memory, as a part of the whole text.
 */
export const identityOf = (digest: string, id: string, by: RecognisedBy = 'id+bytes'): string =>
  hash('sha256', by === 'id' ? `id\n${id}` : digest + id, 'binary')
