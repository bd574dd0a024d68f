import { gunzipSync } from 'node:zlib'
import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead } from '../../../contract/index.js'
import { Type } from '../../../lib/json/type.js'
import { bytes } from '../../../lib/units.js'

export const Encodings = Type.Array(Type.Enum(['identity', 'gzip']), {
  minItems: 1,
  uniqueItems: true,
  default: ['identity'],
  expected: 'a list of "identity" and "gzip"',
  description:
    'The values of Content-Encoding that are accepted; no header is identity. A gzip body may have `maxBody` bytes when it is inflated too. Signatures are of the bytes as they were sent; everything else, and Kafka, has the inflated ones.',
})

type Encoding = 'identity' | 'gzip'
type Headers = HttpHead['headers']

/** What a source makes of Content-Encoding. */
export interface ContentEncoding {
  /** What Accept-Encoding says. */
  readonly accepted: string
  /** Throws HG_INTAKE_ENCODING for one that is not accepted. */
  require(headers: Headers): void
  /**
   * The body as it was before it was encoded; the same buffer for identity. Throws HG_INTAKE_TOO_LARGE as soon as it
   * comes out larger than the source accepts, HG_INTAKE_BAD_GZIP, or HG_INTAKE_ENCODING.
   */
  decode(headers: Headers, body: Buffer): Buffer
}

export function contentEncoding(encodings: readonly Encoding[], maxBody: string): ContentEncoding {
  const accepted = encodings.join(', ')
  const maxOutputLength = bytes(maxBody)
  const encodingOf = ({ 'content-encoding': encoding }: Headers): Encoding => {
    const found = encoding === undefined ? 'identity' : NAMES.get(String(encoding).toLowerCase())
    if (found !== undefined && encodings.includes(found)) return found
    const what = encoding === undefined ? 'no Content-Encoding' : 'another Content-Encoding'
    throw new HeadgateError('HG_INTAKE_ENCODING', `The body has ${what}; accepted is ${accepted}.`)
  }
  return {
    accepted,
    require: (headers) => void encodingOf(headers),
    decode: (headers, body) =>
      encodingOf(headers) === 'identity' ? body : inflate(body, maxOutputLength, maxBody),
  }
}

/** x-gzip is another name of gzip (RFC 9110, 8.4.1.3). */
const NAMES = new Map<string, Encoding>([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
])

/** At once, as with the parsing that follows: bounded by `maxOutputLength`, it takes less time than that. */
function inflate(body: Buffer, maxOutputLength: number, maxBody: string): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? new HeadgateError('HG_INTAKE_TOO_LARGE', `The inflated body is larger than ${maxBody}.`)
      : new HeadgateError('HG_INTAKE_BAD_GZIP', `The body is not gzip: ${message}.`, { cause })
  }
}
