import type { Static } from 'typebox'
import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead, JsonBody } from '../../../contract/index.js'
import {
  type DecodeLimits,
  decodeBody,
  FORM,
  JSON_FIELD,
  MULTIPART,
  multipartType,
  RAW,
  XML,
} from '../../../lib/body/decode.js'
import { mediaType } from '../../../lib/body/media-type.js'
import { parseBody } from '../../../lib/json/body.js'
import { Type } from '../../../lib/json/pointer.js'

const FORMATS = ['json', 'form', 'xml', 'multipart', 'ndjson', 'raw'] as const

export const Body = Type.Object(
  {
    formats: Type.Array(Type.Enum(FORMATS), {
      minItems: 1,
      uniqueItems: true,
      default: ['json'],
      expected: 'a list of "json", "form", "xml", "multipart", "ndjson" and "raw"',
      description:
        'The accepted formats; Content-Type decides which one a body has. All but `raw` are decoded to JSON for the event id, schemas, rules and headers. `ndjson` is JSON in lines, and needs `split`. `raw` takes any other Content-Type, or none, and its content is null.',
    }),
    value: Type.Enum(['sent', 'json'], {
      default: 'sent',
      description:
        'For a body that was decoded: whether the event keeps its bytes as they were sent, for Kafka and dead letters ("sent"), or is the decoded JSON ("json").',
    }),
    jsonField: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]+$',
        expected: 'the name of a field, such as "payload"',
        description:
          'If a form has only this field, the JSON in it is the content of the event (`payload` of GitHub and Slack).',
      }),
    ),
    maxFields: Type.Integer({
      minimum: 1,
      maximum: 50_000,
      default: 10_000,
      description:
        'How many fields a form, parts a multipart body, or elements and attributes an XML document may have.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The formats of bodies. Default: JSON.' },
)

export type BodySettings = Static<typeof Body>

export interface BodyReader {
  /** The value of Accept. */
  readonly accepted: string
  /** Throws HG_INTAKE_MEDIA_TYPE if the Content-Type is not accepted. */
  require(headers: HttpHead['headers']): void
  /** Whether the body is JSON in lines, which `read` does not read. */
  isLines(headers: HttpHead['headers']): boolean
  /** The body by its Content-Type. Throws a HeadgateError of kind `data`. */
  read(headers: HttpHead['headers'], bytes: Buffer): JsonBody
}

const JSON_TYPE = 'application/json'
export const LINES = 'application/x-ndjson'
const LINE_TYPES = new Set([LINES, 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'])
const ACCEPTED: { readonly [format in (typeof FORMATS)[number]]: string } = {
  json: JSON_TYPE,
  form: FORM,
  xml: 'application/xml, text/xml',
  multipart: MULTIPART,
  ndjson: LINES,
  raw: '*/*',
}

export function bodyReader(
  { formats, value, jsonField, maxFields }: BodySettings,
  maxDepth: number,
): BodyReader {
  const limits: DecodeLimits = { maxDepth, maxFields }
  const accepted = formats.map((format) => ACCEPTED[format]).join(', ')
  const hasJson = formats.includes('json')
  const hasLines = formats.includes('ndjson')
  const formType = jsonField === undefined ? FORM : `${FORM}; ${JSON_FIELD}=${jsonField}`
  const refused = (found: string) =>
    new HeadgateError('HG_INTAKE_MEDIA_TYPE', `${found}; expected ${accepted}, in UTF-8.`)

  /** The type to decode it by; undefined for JSON. */
  function typeOf(contentType: HttpHead['headers'][string]): string | undefined {
    if (hasJson && contentType === JSON_TYPE) return undefined
    const type = contentType === undefined ? undefined : mediaType(String(contentType))
    const format = type && formatOf(type.type)
    if (type === undefined || format === undefined || !formats.includes(format)) {
      if (formats.includes('raw')) return RAW
      throw refused(
        contentType === undefined ? 'The Content-Type header is missing' : 'The Content-Type is not accepted',
      )
    }
    // Each part of a multipart body can have a charset of its own.
    if (
      format !== 'multipart' &&
      !type.parameters('charset').every((charset) => UTF_8.has(charset.toLowerCase()))
    )
      throw refused('The charset is not UTF-8')
    if (format === 'json') return undefined
    if (format === 'ndjson') return LINES
    if (format === 'form') return formType
    return format === 'xml' ? XML : multipartType(type)
  }

  return {
    accepted,
    isLines: (headers) => hasLines && typeOf(headers['content-type']) === LINES,
    require: (headers) => void typeOf(headers['content-type']),
    read(headers, bytes) {
      const type = typeOf(headers['content-type'])
      if (type === undefined) return parseBody(bytes, maxDepth)
      const body = decodeBody(type, bytes, limits)
      return value === 'sent' ? body : { ...body, original: undefined }
    },
  }
}

/** `utf8` is not a registered name, but has no other meaning. */
const UTF_8 = new Set(['utf-8', 'utf8'])
const JSON_SUFFIX = /^application\/.+\+json$/
const XML_TYPE = /^(?:text\/xml|application\/xml|[^/]+\/.+\+xml)$/

function formatOf(type: string): (typeof FORMATS)[number] | undefined {
  if (type === JSON_TYPE || JSON_SUFFIX.test(type)) return 'json'
  if (LINE_TYPES.has(type)) return 'ndjson'
  if (type === FORM) return 'form'
  if (type === MULTIPART) return 'multipart'
  return XML_TYPE.test(type) ? 'xml' : undefined
}
