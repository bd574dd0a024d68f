import { FORM, XML } from '../../../../lib/body/decode.js'
import { mediaType } from '../../../../lib/body/media-type.js'

type Headers = { readonly [name: string]: string }

/** Whether a body with these headers is JSON: all but forms and XML, which have a text of their own. */
export const isJsonBody = (headers: Headers): boolean => ![FORM, XML].includes(typeOf(headers))

/** A body as its Content-Type has it: the other side of `decodeBody`. */
export function bodyText(headers: Headers, body: object): string {
  switch (typeOf(headers)) {
    case FORM:
      return new URLSearchParams(Object.entries(body)).toString()
    case XML:
      return `<?xml version="1.0" encoding="UTF-8"?>${Object.entries(body).map(element).join('')}`
    default:
      return JSON.stringify(body)
  }
}

const XML_TYPES = ['text/xml', 'application/xml']

function typeOf({ 'Content-Type': text = '' }: Headers): string {
  const { type = '' } = mediaType(text) ?? {}
  return XML_TYPES.includes(type) ? XML : type
}

/** An element with its attributes, its text and its elements; several of one name from an array. */
function element([name, value]: readonly [string, unknown]): string {
  if (Array.isArray(value)) return value.map((each) => element([name, each])).join('')
  if (typeof value !== 'object' || value === null) return `<${name}>${escaped(value)}</${name}>`
  const members = Object.entries(value)
  const attributes = members.filter(([member]) => member.startsWith('@'))
  const content = members.filter(([member]) => !member.startsWith('@'))
  const inner = content.map(([member, inside]) =>
    member === '#text' ? escaped(inside) : element([member, inside]),
  )
  return `<${name}${attributes.map(([member, text]) => ` ${member.slice(1)}="${escaped(text)}"`).join('')}>${inner.join('')}</${name}>`
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

const escaped = (text: unknown): string =>
  String(text).replaceAll(/[&<>"]/g, (character) => String(ENTITIES[character]))
