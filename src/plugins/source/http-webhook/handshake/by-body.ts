import { createHmac } from 'node:crypto'
import type { Handshake, HttpHead, JsonBody } from '../../../../contract/index.js'
import { pointer } from '../../../../lib/json/pointer.js'
import { hmac } from '../verify/hmac.js'
import type { VerifySettings } from '../verify/schemes.js'
import { decodeSecret } from '../verify/signature.js'
import { echo, emptyResponse } from './echo.js'
import type { HandshakeSettings } from './settings.js'

/** The response to a verified request if its body is a handshake; undefined if it is an event. `sent`: the bytes of the body. */
export type BodyHandshake = (request: HttpHead, body: JsonBody, sent: Buffer) => Handshake | undefined

export function bodyHandshake(
  { form, when, value, member, hmac: signed }: HandshakeSettings & { form: 'body' },
  verify: VerifySettings,
  publicUrl: string | undefined,
): BodyHandshake {
  const conditions = Object.entries(when).map(([at, text]) => ({ place: pointer(at), text }))
  const valuePlace = value === undefined ? undefined : pointer(value)
  const hmacOf = signed && signer(verify, publicUrl, signed.encoding)
  return (request, { value: body }, sent) => {
    if (!conditions.every(({ place, text }) => place.read(body) === text)) return undefined
    if (valuePlace === undefined) return emptyResponse(form)
    const asked = valuePlace.read(body)
    const own = typeof asked === 'string' ? hmacOf?.(request, sent, asked) : undefined
    return echo(form, asked, member, own === undefined ? {} : { [signed?.member ?? '']: own })
  }
}

/**
 * Makes the HMAC of a text with the secret that a request is signed with: while secrets are rotated, the sender expects that one.
 * Undefined in a dry run without verification, which has no secret.
 */
function signer(
  verify: VerifySettings,
  publicUrl: string | undefined,
  encoding: 'hex' | 'base64',
): (request: HttpHead, sent: Buffer, text: string) => string | undefined {
  if (verify.scheme !== 'hmac') return () => undefined
  const { algorithm, secretEncoding } = verify
  const candidates = verify.secrets.map((secret) => ({
    verifier: hmac({ ...verify, secrets: [secret] }, publicUrl),
    key: decodeSecret(secret, secretEncoding) ?? Buffer.alloc(0),
  }))
  return (request, sent, text) => {
    const signing = candidates.find(({ verifier }) => passes(() => verifier.body?.(request, sent)))
    return signing && createHmac(algorithm, signing.key).update(text).digest(encoding)
  }
}

function passes(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
