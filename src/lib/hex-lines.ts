/** Bytes in hexadecimal as people read them: offset, bytes, and those that are letters. `each`: bytes of a line. */
export function hexLines(bytes: Uint8Array, each = 16): string[] {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += each) {
    const line = [...bytes.subarray(at, at + each)]
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    lines.push(
      `${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * each - 1)}  ${line.map(letter).join('')}`,
    )
  }
  return lines
}

const letter = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')
