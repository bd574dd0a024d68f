import { type Headers, header } from './verifier.js'

const NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const PLACEHOLDER = new RegExp(`\\{(body|timestamp|header:${NAME})\\}`)

/** Text and placeholders, {body} among them. */
export const SIGNED_TEXT_PATTERN = `^(?=[\\s\\S]*\\{body\\})([^{}]|\\{(body|timestamp|header:${NAME})\\})+$`

/** Compiles the template of what a sender signs: what comes out are the parts in their order. */
export function signedText(
  template: string,
): (headers: Headers, timestamp: string, body: Buffer) => (string | Buffer)[] {
  // Splitting by a pattern with a group gives text and placeholder in turns.
  const parts = template
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? text(part) : placeholder(part)))
  return (headers, timestamp, body) => parts.map((part) => part(headers, timestamp, body))
}

type Part = (headers: Headers, timestamp: string, body: Buffer) => string | Buffer

const text =
  (literal: string): Part =>
  () =>
    literal

function placeholder(name: string): Part {
  if (name === 'body') return (_headers, _timestamp, body) => body
  if (name === 'timestamp') return (_headers, timestamp) => timestamp
  const key = name.slice('header:'.length).toLowerCase()
  return (headers) => header(headers, key)
}
