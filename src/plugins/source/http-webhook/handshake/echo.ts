import { HeadgateError } from '../../../../contract/errors.js'
import type { Handshake, HttpResponse } from '../../../../contract/index.js'

/** The longest tokens that senders are known to use have some 500 characters. */
const MAX_LENGTH = 4096

/** The response with the value that the sender asked back; `more`: further members of a JSON object. */
export function echo(
  form: string,
  value: unknown,
  member: string | undefined,
  more: { readonly [member: string]: string } = {},
): Handshake {
  if (typeof value !== 'string' || value === '' || value.length > MAX_LENGTH)
    throw new HeadgateError(
      'HG_INTAKE_HANDSHAKE',
      `The value to echo should be a text of 1 to ${MAX_LENGTH} characters.`,
    )
  const response =
    member === undefined
      ? ok('text/plain; charset=utf-8', value)
      : ok('application/json', JSON.stringify({ [member]: value, ...more }))
  return { kind: 'handshake', form, response }
}

/** The response to a sender that only asks whether the endpoint is there. */
export const emptyResponse = (form: string): Handshake => ({
  kind: 'handshake',
  form,
  // Discord asks for a Content-Type although there is no content.
  response: { status: 204, headers: { 'content-type': 'application/json' }, body: '' },
})

/** A stranger chose the value: no browser may take it for anything but text. */
const ok = (type: string, body: string): HttpResponse => ({
  status: 200,
  headers: { 'content-type': type, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' },
  body,
})
