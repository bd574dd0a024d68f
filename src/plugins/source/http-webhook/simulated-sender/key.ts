import { generateKeyPairSync, type KeyObject } from 'node:crypto'

/** The secret of a simulated sender. */
export interface SenderKey {
  /** The text that goes to the settings of the source: the secret itself, or the public key. */
  readonly configured: string
  readonly privateKey?: KeyObject
}

/** The settings of `verify` that say how its secrets are written. */
interface KeySettings {
  readonly scheme: string
  readonly secretEncoding?: string
}

/** A key for this scheme, made of `text` or, for a scheme with public keys, by chance. */
export function senderKey({ scheme, secretEncoding = 'utf8' }: KeySettings, text: string): SenderKey {
  switch (scheme) {
    case 'ed25519':
      return pair(generateKeyPairSync('ed25519'))
    case 'ecdsa-p256':
      return pair(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }))
    case 'standard-webhooks':
      return { configured: encoded(text, 'whsec') }
    case 'basic':
      return { configured: `sender:${text}` }
    default:
      return { configured: encoded(text, secretEncoding) }
  }
}

const pair = ({
  publicKey,
  privateKey,
}: {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}) => ({
  configured: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  privateKey,
})

function encoded(text: string, encoding: string): string {
  if (encoding === 'utf8') return text
  if (encoding === 'hex') return Buffer.from(text).toString('hex')
  return `${encoding === 'whsec' ? 'whsec_' : ''}${Buffer.from(text).toString('base64')}`
}
