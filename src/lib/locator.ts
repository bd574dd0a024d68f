import type { Event, JsonPointer } from '../contract/index.js'
import { pointer, Type } from './json/pointer.js'

/** Where a value of an event is: in its body, or in the request that brought it. */
export type Locator =
  | { readonly kind: 'body'; readonly text: string; readonly pointer: JsonPointer }
  | PartLocator

export type PartLocator =
  /** `name`: in lower case if it is that of a header. */
  | { readonly kind: 'header' | 'query'; readonly text: string; readonly name: string }
  | { readonly kind: 'path' | 'method'; readonly text: string }

/** Regular expressions of the texts. */
export const POINTER_PATTERN = '(/([^~/]|~[01])*)*'
export const HEADER_PATTERN = "header:[A-Za-z0-9!#$%&'*+.^_`|~-]+"
export const QUERY_PATTERN = 'query:.+'

/** A setting that is a locator. */
export const Locator = (options: { description: string; default?: string }) =>
  Type.String({
    pattern: `^(${POINTER_PATTERN}|${HEADER_PATTERN}|${QUERY_PATTERN}|path|method)$`,
    expected: 'a JSON Pointer such as "/payload/region", "header:NAME", "query:NAME", "path" or "method"',
    ...options,
  })

/** Compiles a checked locator, once, at load. Two texts of one part of the request give the same `text`. */
export function locator(text: string): Locator {
  if (text === 'path' || text === 'method') return { kind: text, text }
  if (text.startsWith('header:')) {
    const name = text.slice('header:'.length).toLowerCase()
    return { kind: 'header', text: `header:${name}`, name }
  }
  if (text.startsWith('query:')) return { kind: 'query', text, name: text.slice('query:'.length) }
  return { kind: 'body', text, pointer: pointer(text) }
}

/** Whether a locator names a part of the request. */
export const isOfRequest = (text: string): boolean => text !== '' && !text.startsWith('/')

/** A part of the request of an event; undefined if the request lacks it. */
export function requestPart(at: PartLocator, request: Event['request']): string | undefined {
  switch (at.kind) {
    case 'header':
      return own(request?.headers, at.name)
    case 'query':
      return own(request?.query, at.name)
    default:
      return request?.[at.kind]
  }
}

const own = (values: { readonly [name: string]: string } | undefined, name: string): string | undefined =>
  values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined
