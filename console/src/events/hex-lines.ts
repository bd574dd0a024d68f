/** Bytes of a line: the panel is no wider. */
const EACH = 8

/** Bytes in hexadecimal as people read them: offset, bytes, and those that are letters. */
export function hexLines(hex: string): string {
  const bytes = hex.match(/../g) ?? []
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += EACH) {
    const line = bytes.slice(at, at + EACH)
    lines.push(
      `${at.toString(16).padStart(4, '0')}  ${line.join(' ').padEnd(3 * EACH - 1)}  ${line.map(letter).join('')}`,
    )
  }
  return lines.join('\n')
}

const letter = (byte: string): string => {
  const code = Number.parseInt(byte, 16)
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.'
}
