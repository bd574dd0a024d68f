import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

/** A body that comes in more codings than this is no answer to a request that asked for none. */
const MAX_CODINGS = 3

type Decoder = (body: Buffer, limit: { readonly maxOutputLength: number }) => Buffer

const DECODERS: { readonly [coding: string]: Decoder } = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  // With the zlib header as RFC 9110 says, or without it as many servers send it (8.4.1.2).
  deflate: (body, limit) =>
    ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, limit) : inflateRawSync(body, limit),
}

/**
 * The body as it was before it was encoded: a server may choose a coding that nobody asked for. Throws where it cannot be
 * decoded, or would have more than `maxBytes`. Synchronous: what is given to it is small.
 */
export function decodeContent(body: Buffer, contentEncoding: string | undefined, maxBytes: number): Buffer {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > MAX_CODINGS) throw new TypeError('it is encoded too many times')
  return codings.reduceRight((encoded, coding) => {
    const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined
    if (decoder === undefined) throw new TypeError('its Content-Encoding is none of gzip, deflate and br')
    try {
      return decoder(encoded, { maxOutputLength: maxBytes })
    } catch (thrown) {
      const tooLarge = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE'
      throw new TypeError(
        tooLarge ? `it has more than ${maxBytes} bytes when it is decoded` : `it is not valid ${coding}`,
      )
    }
  }, body)
}
