import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto'
import type { Static } from 'typebox'
import { Type } from '../../../../lib/json/pointer.js'
import { decodeStrictly } from './signature.js'
import { signedRequest, signedRequestSettings } from './signed-request.js'
import { unauthenticated, type Verifier } from './verifier.js'

/** A setting that is a list of public keys; each of them is accepted. */
export const PublicKeys = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description })

const KEYS =
  'The public keys that are accepted, each in PEM, or in base64 or hexadecimal as the sender shows it. List the old and the new one while the sender changes them.'

export const ed25519Settings = Type.Object(
  {
    scheme: Type.Literal('ed25519', {
      description: 'The sender signs the body with a private Ed25519 key (Discord, Telnyx).',
    }),
    ...signedRequestSettings,
    publicKeys: PublicKeys(KEYS),
  },
  { additionalProperties: false },
)

export const ecdsaSettings = Type.Object(
  {
    scheme: Type.Literal('ecdsa-p256', {
      description:
        'The sender signs the body with a private ECDSA key on the curve P-256 and SHA-256 (SendGrid).',
    }),
    ...signedRequestSettings,
    signatureFormat: Type.Enum(['der', 'raw'], {
      default: 'der',
      description: 'How the two numbers of the signature are packed: `der` (ASN.1), or `raw`, 32 bytes each.',
    }),
    publicKeys: PublicKeys(KEYS),
  },
  { additionalProperties: false },
)

export type PublicKeySettings = Static<typeof ed25519Settings> | Static<typeof ecdsaSettings>

/** Verifies signatures that only the private key can make. Nothing here is secret, so no comparison has to take a constant time. */
export function publicKeySignature(settings: PublicKeySettings, publicUrl?: string): Verifier {
  const { scheme, encoding, publicKeys } = settings
  const claimOf = signedRequest(settings, publicUrl)
  const keys = publicKeys.flatMap((text) => publicKeyOf(text, scheme) ?? [])
  const dsaEncoding =
    'signatureFormat' in settings && settings.signatureFormat === 'raw' ? 'ieee-p1363' : 'der'
  const hash = scheme === 'ed25519' ? null : 'sha256'
  const refusal = `No signature in the header ${settings.header.toLowerCase()} matches a configured public key.`
  return {
    body(request, body) {
      const { signed, signatures } = claimOf(request, body)
      const data = Buffer.concat(signed.map((part) => Buffer.from(part)))
      const isSigned = signatures.some((text) => {
        const signature = decodeStrictly(text, encoding)
        return (
          signature !== undefined &&
          keys.some((key) => verifySignature(hash, data, { key, dsaEncoding }, signature))
        )
      })
      if (!isSigned) throw unauthenticated(refusal)
    },
  }
}

const CURVES = {
  ed25519: { type: 'ed25519', curve: undefined, bytes: 32 },
  'ecdsa-p256': { type: 'ec', curve: 'prime256v1', bytes: 65 },
} as const

/** A key in PEM, or in base64 or hexadecimal as DER (SPKI) or as its raw bytes; undefined if it is no such key. */
export function publicKeyOf(text: string, scheme: keyof typeof CURVES): KeyObject | undefined {
  const { type, curve } = CURVES[scheme]
  try {
    const key = readKey(text.trim(), scheme)
    const fits = key?.asymmetricKeyType === type && key.asymmetricKeyDetails?.namedCurve === curve
    return fits ? key : undefined
  } catch {
    return undefined
  }
}

function readKey(text: string, scheme: keyof typeof CURVES): KeyObject | undefined {
  if (text.startsWith('-----')) return createPublicKey(text)
  const bytes = decodeStrictly(text, 'hex') ?? decodeStrictly(text, 'base64')
  if (bytes === undefined) return undefined
  if (bytes.length !== CURVES[scheme].bytes)
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  return scheme === 'ed25519'
    ? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' })
    : createPublicKey({ key: rawPoint(bytes), format: 'jwk' })
}

/** An uncompressed point: a byte 4, and two numbers of 32 bytes each. */
const rawPoint = (bytes: Buffer) => ({
  kty: 'EC',
  crv: 'P-256',
  x: bytes.subarray(1, 33).toString('base64url'),
  y: bytes.subarray(33).toString('base64url'),
})
