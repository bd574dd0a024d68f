import type { JsonBody, JsonPointer } from '../../contract/index.js'
import { parseBody } from './body.js'

/**
 * The body with another value at a place, and every other byte as it was; the same body where nothing stands there.
 * Of equal keys, which only the top level refuses, the one that counts is replaced: the last.
 */
export function replaceAt(body: JsonBody, place: JsonPointer, value: unknown): JsonBody {
  const old = body.slice(place)
  if (old === undefined) return body
  const start = old.byteOffset - body.bytes.byteOffset
  const parts = [
    body.bytes.subarray(0, start),
    Buffer.from(JSON.stringify(value)),
    body.bytes.subarray(start + old.length),
  ]
  return parseBody(Buffer.concat(parts), Number.POSITIVE_INFINITY)
}
