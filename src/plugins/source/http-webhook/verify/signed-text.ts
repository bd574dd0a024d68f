import { parametersIn } from '../../../../lib/body/form.js'
import { type Head, header, unauthenticated } from './verifier.js'

const NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const PLACE = `body|form|timestamp|method|url|path|query|header:${NAME}`
const PLACEHOLDER = new RegExp(`\\{(${PLACE})\\}`)

/** Text and placeholders, one that covers the body among them; a URL can have a digest of it. */
export const SIGNED_TEXT_PATTERN = `^(?=[\\s\\S]*\\{(body|form|url)\\})([^{}]|\\{(${PLACE})\\})+$`

/** The most parameters of a form that is signed. */
const MAX_PARAMETERS = 1000

const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i

export const isForm = ({ headers }: Head): boolean => FORM_TYPE.test(String(headers['content-type'] ?? ''))

export type Signed = readonly (string | Buffer)[]

/**
 * Compiles the template of the text that a sender signs. The function returns its parts in their order. `publicUrl`: the part of
 * the URL that the sender knows and Headgate does not.
 */
export function signedText(
  template: string,
  publicUrl: string | undefined,
): (request: Head, timestamp: string, body: Buffer) => Signed {
  const { origin, prefix } = partsOf(publicUrl)
  // Splitting by a pattern with a group gives text and placeholder alternately.
  const parts = template
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? text(part) : placeholder(part, origin, prefix)))
  return (request, timestamp, body) => parts.map((part) => part(request, timestamp, body))
}

/** `prefix`: the path that a proxy removes, without a slash at its end. */
function partsOf(publicUrl: string | undefined): { readonly origin: string; readonly prefix: string } {
  if (publicUrl === undefined) return { origin: '', prefix: '' }
  const [origin = ''] = /^https?:\/\/[^/]+/i.exec(publicUrl) ?? []
  return { origin, prefix: publicUrl.slice(origin.length).replace(/\/$/, '') }
}

type Part = (request: Head, timestamp: string, body: Buffer) => string | Buffer

const text =
  (literal: string): Part =>
  () =>
    literal

function placeholder(name: string, origin: string, prefix: string): Part {
  switch (name) {
    case 'body':
      return (_request, _timestamp, body) => body
    case 'form':
      return (request, _timestamp, body) => (isForm(request) ? formText(body) : '')
    case 'timestamp':
      return (_request, timestamp) => timestamp
    case 'method':
      return ({ method }) => method
    case 'url':
      return ({ target }) => `${origin}${prefix}${target}`
    case 'path':
      return ({ path }) => `${prefix}${path}`
    case 'query':
      return ({ query }) => query
    default: {
      const key = name.slice('header:'.length).toLowerCase()
      return (request) => header(request, key)
    }
  }
}

/**
 * The parameters of a form as Twilio signs them: sorted by name, each name with its value, and each distinct value of a name once
 * (validateRequest of its Node.js library).
 */
function formText(body: Buffer): string {
  requireFewParameters(body)
  const parameters = parametersIn(body.toString())
  const values = new Map<string, Set<string>>()
  for (const [name, value] of parameters) {
    const others = values.get(name)
    if (others === undefined) values.set(name, new Set([value]))
    else others.add(value)
  }
  return [...values.keys()]
    .sort()
    .map((name) =>
      [...(values.get(name) ?? [])]
        .sort()
        .map((value) => name + value)
        .join(''),
    )
    .join('')
}

const AMPERSAND = 0x26

/** Before they are decoded: nobody has proved to be the sender yet. */
function requireFewParameters(body: Buffer): void {
  let count = 1
  for (let at = body.indexOf(AMPERSAND); at !== -1; at = body.indexOf(AMPERSAND, at + 1))
    if (++count > MAX_PARAMETERS)
      throw unauthenticated(`The form has more than ${MAX_PARAMETERS} parameters.`)
}
