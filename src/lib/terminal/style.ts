import { styleText } from 'node:util'

type Format = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** Gives text a look where a person reads it on a terminal, and leaves it as it is elsewhere. */
export type Style = (format: Format, text: string) => string

/** `NO_COLOR` in the environment, with any value, asks for plain text (no-color.org). */
export function styleFor(terminal: boolean, env: Readonly<{ [name: string]: string | undefined }>): Style {
  const plain = !terminal || env['NO_COLOR']
  // Whether a person reads it is the caller's to know; left alone, styleText would look at this process's own stdout.
  return (format, text) => (plain ? text : styleText(format, text, { validateStream: false }))
}
