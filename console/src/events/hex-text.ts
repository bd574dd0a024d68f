import { hexLines } from '../../../src/lib/hex-lines.js'

/** Bytes of a line: the panel is no wider. */
const EACH = 8

/** The bytes of a text in hexadecimal. */
export const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** Bytes in hexadecimal as people read them, in lines that fit the panel. */
export const hexText = (bytes: Uint8Array): string => hexLines(bytes, EACH).join('\n')
