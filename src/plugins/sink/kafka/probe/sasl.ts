import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Connection } from './connection.js'
import type { Sasl } from './security.js'
import { blob, text } from './wire.js'

const HANDSHAKE = 17
const AUTHENTICATE = 36

/** Logs in. Rejects with what the broker says, which names no secret. */
export async function authenticate({ ask }: Pick<Connection, 'ask'>, sasl: Sasl): Promise<void> {
  const handshake = await ask(HANDSHAKE, 1, [text(sasl.mechanism)])
  if (handshake.int16() !== 0) {
    const offered = handshake.list(() => handshake.text()).join(', ')
    throw new Error(`the broker does not take ${sasl.mechanism}; it takes ${offered || 'no SASL at all'}`)
  }
  const say = async (message: string): Promise<string> => {
    const answer = await ask(AUTHENTICATE, 0, [blob(Buffer.from(message))])
    const refused = answer.int16() !== 0
    const reason = answer.text()
    if (refused) throw new Error(`the broker refuses the credentials: ${reason}`)
    return answer.blob().toString()
  }
  if (sasl.mechanism === 'PLAIN') await say(`\0${sasl.username}\0${sasl.password}`)
  else await scram(say, sasl)
}

/** RFC 5802 and 7677, without channel binding. */
async function scram(say: (message: string) => Promise<string>, { mechanism, username, password }: Sasl) {
  const digest = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, message: string) => createHmac(digest, key).update(message).digest()
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const challenge = await say(`n,,${bare}`)
  const { r = '', s = '', i = '' } = attributes(challenge)
  if (!r.startsWith(nonce) || !(Number(i) > 0)) throw new Error('the broker does not answer as SCRAM says')
  const salted = pbkdf2Sync(
    password,
    Buffer.from(s, 'base64'),
    Number(i),
    digest === 'sha256' ? 32 : 64,
    digest,
  )
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash(digest).update(clientKey).digest()
  const last = `c=biws,r=${r}`
  const conversation = `${bare},${challenge},${last}`
  const signature = hmac(storedKey, conversation)
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
  const { v = '' } = attributes(await say(`${last},p=${proof.toString('base64')}`))
  const expected = hmac(hmac(salted, 'Server Key'), conversation)
  const given = Buffer.from(v, 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Error('the broker does not know the password either')
}

const attributes = (message: string): { readonly [name: string]: string } =>
  Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
