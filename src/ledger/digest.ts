import { hash } from 'node:crypto'

/** Of the bytes of an event as they were received; with its id it tells events apart. */
export const digestOf = (bytes: Buffer): string => hash('sha256', bytes, 'base64url')
