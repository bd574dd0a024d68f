import type { Sender } from './sender.js'

/** The settings that the user of a sender writes, with variables for its secrets. */
export interface WrittenSettings {
  readonly settings: object
  /** The variable that has the secret, or the public key. */
  readonly secret: string
  /** The variable that has the token with which the sender registers the URL. */
  readonly token?: string
}

/** The settings of a source for this sender, beside its path. `publicUrl`: for those that sign it. */
export function writtenSettings(
  { name, secrets, needs = {}, event }: Sender,
  publicUrl = 'https://hooks.example.com',
): WrittenSettings {
  const prefix = name.toUpperCase().replaceAll('-', '_')
  const secret = `${prefix}_${secrets.includes('/verify/publicKeys') ? 'PUBLIC_KEY' : 'SECRET'}`
  const token = 'handshake' in needs ? `${prefix}_VERIFY_TOKEN` : undefined
  return {
    settings: {
      sender: name,
      secrets: [`\${env:${secret}}`],
      ...('publicUrl' in needs && { publicUrl }),
      ...('eventId' in needs && { eventId: event.differsAt }),
      ...(token !== undefined && { handshake: { token: { values: [`\${env:${token}}`] } } }),
    },
    secret,
    ...(token !== undefined && { token }),
  }
}
