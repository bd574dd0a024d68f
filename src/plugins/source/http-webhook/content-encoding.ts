import { gunzipSync } from 'node:zlib'
import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead } from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'
import { bytes } from '../../../lib/units.js'

export const Encodings = Type.Array(Type.Enum(['identity', 'gzip']), {
  minItems: 1,
  uniqueItems: true,
  default: ['identity'],
  expected: 'a list of "identity" and "gzip"',
  description:
    'The accepted values of Content-Encoding; no header means identity. `maxBody` also limits a gzip body after decompression. Signatures are checked on the bytes as sent; everything else, Kafka included, gets the decompressed ones.',
})

type Encoding = 'identity' | 'gzip'
type Headers = HttpHead['headers']

/** The handling of Content-Encoding by a source. */
export interface ContentEncoding {
  /** The value of Accept-Encoding. */
  readonly accepted: string
  /** Throws HG_INTAKE_ENCODING if it is not accepted. */
  require(headers: Headers): void
  /**
   * The decoded body; the same buffer for identity. Throws HG_INTAKE_TOO_LARGE as soon as it becomes larger than the source
   * accepts, HG_INTAKE_BAD_GZIP, or HG_INTAKE_ENCODING.
   */
  decode(headers: Headers, body: Buffer): Buffer
}

export function contentEncoding(encodings: readonly Encoding[], maxBody: string): ContentEncoding {
  const accepted = encodings.join(', ')
  const maxOutputLength = bytes(maxBody)
  const encodingOf = ({ 'content-encoding': encoding }: Headers): Encoding => {
    const found = encoding === undefined ? 'identity' : NAMES.get(String(encoding).toLowerCase())
    if (found !== undefined && encodings.includes(found)) return found
    const problem = encoding === undefined ? 'missing' : 'not accepted'
    throw new HeadgateError('HG_INTAKE_ENCODING', `The Content-Encoding is ${problem}; expected ${accepted}.`)
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

/** Synchronous, as the parsing that follows: bounded by `maxOutputLength`, it takes less time than that. */
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
