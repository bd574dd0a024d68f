import { HeadgateError } from '../../../contract/errors.js'
import type { HttpHead } from '../../../contract/index.js'

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)[ \t]*(?:;(.*))?$/is
/** One parameter, or none between two semicolons (RFC 9110, 5.6.6). A quoted value may have semicolons in it. */
const PARAMETER =
  /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))[ \t]*)?(?:;|$)/gsy
/** `utf8` is no registered name, but means nothing else. */
const UTF_8 = new Set(['utf-8', 'utf8'])

/** Throws HG_INTAKE_MEDIA_TYPE for a body that is not declared as JSON in UTF-8. */
export function requireJson(headers: HttpHead['headers']): void {
  const type = headers['content-type']
  if (type === 'application/json') return
  if (type === undefined) throw mediaType('There is no Content-Type')
  const match = JSON_TYPE.exec(String(type))
  if (match === null) throw mediaType('The Content-Type is another one')
  for (const [, name, quoted, plain = ''] of (match[1] ?? '').matchAll(PARAMETER)) {
    if (name?.toLowerCase() !== 'charset') continue
    const charset = quoted?.replace(/\\(.)/gs, '$1') ?? plain
    if (!UTF_8.has(charset.toLowerCase())) throw mediaType('The charset is another one')
  }
}

const mediaType = (found: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_MEDIA_TYPE', `${found}; expected is application/json in UTF-8.`)
