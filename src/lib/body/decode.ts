import { HeadgateError } from '../../contract/errors.js'
import type { JsonBody } from '../../contract/index.js'
import { parseBody } from '../json/body.js'
import { malformed } from './fields.js'
import { formFields } from './form.js'
import { type MediaType, mediaType } from './media-type.js'
import { multipartFields } from './multipart.js'
import { type XmlLimits, xmlFields } from './xml.js'

/** The media types of bodies that are decoded. */
export const FORM = 'application/x-www-form-urlencoded'
export const XML = 'application/xml'
export const MULTIPART = 'multipart/form-data'
export const RAW = 'application/octet-stream'

/** A parameter of FORM, of our own: the field whose text is the JSON of the event. */
export const JSON_FIELD = 'json-field'

/** RFC 2046, 5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/

/** The type of a multipart body, with nothing but its boundary. */
export function multipartType({ parameters }: MediaType): string {
  const [boundary = '', ...others] = parameters('boundary')
  if (others.length > 0 || !BOUNDARY.test(boundary))
    throw malformed('The Content-Type of the multipart body has no valid boundary.')
  return `${MULTIPART}; boundary="${boundary}"`
}

export type DecodeLimits = XmlLimits

/** Decodes a body to JSON, by one of the types above and its parameters, and keeps the bytes as the original. */
export function decodeBody(type: string, bytes: Buffer, limits: DecodeLimits): JsonBody {
  const parsed = mediaType(type)
  const json = parsed === undefined ? undefined : jsonOf(parsed, withoutMark(bytes), limits)
  if (json === undefined)
    throw new HeadgateError('HG_INTAKE_MEDIA_TYPE', 'Bodies of this type cannot be decoded.')
  return parseBody(json, limits.maxDepth, { type, bytes })
}

function jsonOf({ type, parameters }: MediaType, bytes: Buffer, limits: DecodeLimits): Buffer | undefined {
  switch (type) {
    case FORM:
      return formJson(bytes, limits, parameters(JSON_FIELD)[0])
    case XML:
      return toJson(xmlFields(bytes, limits))
    case MULTIPART:
      return toJson(multipartFields(bytes, parameters('boundary')[0] ?? '', limits.maxFields))
    case RAW:
      return NOTHING
    default:
      return undefined
  }
}

/** Some senders put JSON into a field of a form that has no other. */
function formJson(bytes: Buffer, { maxFields }: DecodeLimits, jsonField: string | undefined): Buffer {
  const fields = formFields(bytes, maxFields)
  const [only, ...others] = Object.keys(fields)
  const text = jsonField !== undefined && only === jsonField && others.length === 0 ? fields[only] : undefined
  return typeof text === 'string' ? Buffer.from(text) : toJson(fields)
}

const NOTHING = Buffer.from('null')
const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** The largest of the setting `maxDepth` of a source. */
const ANY: DecodeLimits = { maxDepth: 1000, maxFields: Number.POSITIVE_INFINITY }

/** A body that a source has accepted before, from its bytes; `type`: of its original, if it has one. */
export const acceptedBody = (bytes: Buffer, type: string | undefined): JsonBody =>
  type === undefined ? parseBody(bytes, ANY.maxDepth) : decodeBody(type, bytes, ANY)
