import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { Duration, milliseconds } from '../../../../lib/units.js'
import { unauthenticated } from './verifier.js'

export type SignatureEncoding = 'hex' | 'base64' | 'base64url'

/**
 * Whether one of `signatures` is the HMAC of the joined `parts` with one of `secrets`. The texts are compared, not the bytes
 * that they decode to: Node's decoders skip invalid characters, so that junk after a signature would pass
 * (Buffer.from(text, 'hex') ends at the first other character, 'base64' leaves it out).
 */
export function hmacCheck(
  algorithm: 'sha256' | 'sha512' | 'sha1',
  encoding: SignatureEncoding,
  secrets: readonly Buffer[],
): (parts: readonly (string | Buffer)[], signatures: readonly string[]) => boolean {
  const keys = secrets.map((secret) => createSecretKey(secret))
  return (parts, signatures) => {
    // As UTF-8: Latin-1 keeps the low byte of a character, so U+0161 would pass for "a".
    const presented = signatures.map((text) => Buffer.from(encoding === 'hex' ? text.toLowerCase() : text))
    return keys.some((key) => {
      const hmac = createHmac(algorithm, key)
      for (const part of parts) hmac.update(part)
      const expected = Buffer.from(hmac.digest(encoding))
      return presented.some((text) => text.length === expected.length && timingSafeEqual(text, expected))
    })
  }
}

/** Senders sign with the old secret and the new one while it changes. A stranger could list as many as a header can have. */
const MOST_SIGNATURES = 16

/** Refuses a list with more signatures than a sender has keys: each of them can cost a verification of the whole body. */
export function requireFew(signatures: readonly string[], header: string): void {
  if (signatures.length > MOST_SIGNATURES)
    throw unauthenticated(`The header ${header} has more than ${MOST_SIGNATURES} signatures.`)
}

/** The bytes of a text in exactly this encoding; undefined if it has any other character, or lacks one. */
export function decodeStrictly(text: string, encoding: SignatureEncoding): Buffer | undefined {
  const bytes = Buffer.from(text, encoding)
  const written = encoding === 'hex' ? text.toLowerCase() : text
  return bytes.toString(encoding) === written ? bytes : undefined
}

/** Senders differ in padding and in the last bits. */
const BASE64 = /^[A-Za-z0-9+/_-]{2,}={0,2}$/

export const SecretEncoding = Type.Enum(['utf8', 'base64', 'hex', 'whsec'], {
  default: 'utf8',
  description:
    'How a secret is written: `utf8` uses its characters as they are; `base64` and `hex` decode it; `whsec` decodes base64 after "whsec_".',
})

/** The key bytes of a secret; undefined if it is not written like that. */
export function decodeSecret(secret: string, encoding: Static<typeof SecretEncoding>): Buffer | undefined {
  if (encoding === 'utf8') return Buffer.from(secret)
  if (encoding === 'hex') return decodeStrictly(secret, 'hex')
  const text = encoding === 'whsec' ? secret.replace(/^whsec_/, '') : secret
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** How far the clocks of sender and receiver may be apart, and how old a request may be. */
export const Tolerance = () =>
  Duration({
    default: '5m',
    description: 'How far the signed timestamp may be from our clock; a request replayed later is refused.',
  })

export const TimestampUnit = Type.Enum(['seconds', 'milliseconds', 'rfc3339'], {
  default: 'seconds',
  description:
    'How the timestamp is written: seconds or milliseconds since 1970, or as 2026-01-31T12:00:00Z.',
})

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const DIGITS = /^\d{1,15}$/

/** Checks that a timestamp, as the sender wrote it, is close enough to now. */
export function freshness(
  unit: Static<typeof TimestampUnit>,
  tolerance: string,
): (timestamp: string) => void {
  const limit = milliseconds(tolerance)
  const read =
    unit === 'rfc3339'
      ? (text: string) => (RFC3339.test(text) ? Date.parse(text) : Number.NaN)
      : unit === 'seconds'
        ? (text: string) => (DIGITS.test(text) ? Number(text) * 1000 : Number.NaN)
        : (text: string) => (DIGITS.test(text) ? Number(text) : Number.NaN)
  return (timestamp) => {
    const age = Date.now() - read(timestamp)
    if (Number.isNaN(age)) throw unauthenticated(`The timestamp is not in ${unit}.`)
    if (age > limit) throw unauthenticated(`The timestamp is ${beyond(age, limit)} too old.`)
    if (-age > limit) throw unauthenticated(`The timestamp is ${beyond(-age, limit)} too far in the future.`)
  }
}

const beyond = (age: number, limit: number): string => `${Math.ceil((age - limit) / 1000)} s`
