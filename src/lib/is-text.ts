import { isUtf8 } from 'node:buffer'

/** UTF-8 without characters that no text has: shown as a text, other bytes would be changed. */
export const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !CONTROL.test(bytes.toString('utf8'))

const CONTROL = /[^\P{Cc}\t\n\f\r]/u
