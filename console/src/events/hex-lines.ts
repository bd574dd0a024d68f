/** Bytes of a line: the panel is no wider. */
const EACH = 8

/** The bytes of a text in hexadecimal. */
export const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** Bytes in hexadecimal as people read them: offset, bytes, and those that are letters. */
export function hexLines(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += EACH) {
    const line = [...bytes.subarray(at, at + EACH)]
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    lines.push(
      `${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * EACH - 1)}  ${line.map(letter).join('')}`,
    )
  }
  return lines.join('\n')
}

const letter = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')
