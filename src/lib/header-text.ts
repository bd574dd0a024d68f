import { isUtf8 } from 'node:buffer'

/** The value of a header. node:http takes its bytes for ISO 8859-1; senders that have others than ASCII mean UTF-8. */
export function headerText(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : value
}
