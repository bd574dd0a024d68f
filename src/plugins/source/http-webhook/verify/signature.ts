import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

/** Whether one of `signatures` is the HMAC of `parts`, one after the other, with one of `secrets`. */
export function signatureCheck(
  algorithm: 'sha256' | 'sha512' | 'sha1',
  secrets: readonly Buffer[],
): (parts: readonly (string | Buffer)[], signatures: readonly Buffer[]) => boolean {
  const keys = secrets.map((secret) => createSecretKey(secret))
  return (parts, signatures) =>
    keys.some((key) => {
      const hmac = createHmac(algorithm, key)
      for (const part of parts) hmac.update(part)
      const expected = hmac.digest()
      return signatures.some(
        (signature) => signature.length === expected.length && timingSafeEqual(signature, expected),
      )
    })
}
