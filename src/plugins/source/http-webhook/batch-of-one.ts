import { FORM } from '../../../lib/body/decode.js'
import { pointer } from '../../../lib/json/pointer.js'
import { splitting } from './batch.js'
import { LINES } from './body.js'
import type { Settings } from './settings.js'

interface RequestOfEvent {
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** A request with this event as its only item, if the source splits requests. Its text stays as it is: JavaScript would change numbers. */
export function batchOfOne(
  { split: written, body }: Pick<Settings, 'split' | 'body'>,
  event: string,
): RequestOfEvent {
  const split = splitting(written)
  if (split === undefined) return { headers: {}, body: event }
  const { formats, jsonField } = body
  const text = enclosed(split.at, event)
  if (formats.includes('json')) return { headers: {}, body: text }
  if (formats.includes('ndjson')) return { headers: { 'content-type': LINES }, body: event }
  if (jsonField === undefined) return { headers: {}, body: text }
  return { headers: { 'content-type': FORM }, body: `${jsonField}=${encodeURIComponent(text)}` }
}

const enclosed = (at: string, item: string): string =>
  pointer(at).tokens.reduceRight((inner, token) => `{${JSON.stringify(token)}:${inner}}`, `[${item}]`)
