import { HeadgateError } from '../../../errors.js'
import type { HttpHead } from '../../../plugin.js'

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)[ \t]*(;.*)?$/i
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^";, \t]*)"?/i

/** Throws HG_INTAKE_MEDIA_TYPE for a body that is not declared as JSON in UTF-8. */
export function requireJson(headers: HttpHead['headers']): void {
  const type = headers['content-type']
  if (type === 'application/json') return
  if (type === undefined) throw mediaType('There is no Content-Type')
  const match = JSON_TYPE.exec(String(type))
  if (match === null) throw mediaType('The Content-Type is another one')
  const charset = CHARSET.exec(match[1] ?? '')?.[1]
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8')
    throw mediaType('The charset is another one')
}

const mediaType = (found: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_MEDIA_TYPE', `${found}; expected is application/json in UTF-8.`)
