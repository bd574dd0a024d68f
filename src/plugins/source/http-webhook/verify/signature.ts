import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

export type SignatureEncoding = 'hex' | 'base64'

/**
 * Whether one of `signatures` is the HMAC of `parts`, one after the other, with one of `secrets`. The texts are compared,
 * not the bytes that they decode to: Node's decoders skip what they cannot read, so that junk behind a signature would pass
 * (Buffer.from(text, 'hex') ends at the first other character, 'base64' leaves it out).
 */
export function signatureCheck(
  algorithm: 'sha256' | 'sha512' | 'sha1',
  encoding: SignatureEncoding,
  secrets: readonly Buffer[],
): (parts: readonly (string | Buffer)[], signatures: readonly string[]) => boolean {
  const keys = secrets.map((secret) => createSecretKey(secret))
  return (parts, signatures) => {
    const presented = signatures.map((text) =>
      Buffer.from(encoding === 'hex' ? text.toLowerCase() : text, 'latin1'),
    )
    return keys.some((key) => {
      const hmac = createHmac(algorithm, key)
      for (const part of parts) hmac.update(part)
      const expected = Buffer.from(hmac.digest(encoding), 'latin1')
      return presented.some((text) => text.length === expected.length && timingSafeEqual(text, expected))
    })
  }
}
