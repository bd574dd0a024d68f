import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { ConnectionSettings, Sasl } from './connection-settings.js'
import { blob, type Encoded, int16, int32, type Reader, reader, text } from './wire.js'

export interface Address {
  readonly host: string
  readonly port: number
}

/** One connection to one broker. */
export interface Connection {
  /** Sends a request and reads its response; one at a time. Rejects if the broker closes or `signal` is aborted. */
  ask(apiKey: number, version: number, body: readonly Encoded[]): Promise<Reader>
  close(): void
}

/** Bytes. The responses to our requests are far smaller. */
const LARGEST_RESPONSE = 64 * 1024 * 1024

/** Checks that a server listens there. Rejects with the error of the socket. */
export async function reach(address: Address, signal: AbortSignal): Promise<void> {
  const socket = connectTcp(address)
  try {
    await once(socket, 'connect', { signal })
  } finally {
    socket.destroy()
  }
}

/** Connects, with TLS and a login if the properties ask for them. */
export async function openConnection(
  address: Address,
  { clientId, tls, sasl }: ConnectionSettings,
  signal: AbortSignal,
): Promise<Connection> {
  signal.throwIfAborted()
  const socket: Socket | TLSSocket =
    tls === undefined ? connectTcp(address) : connectTls({ ...address, servername: nameOf(address), ...tls })
  const abort = () => socket.destroy(new Error('no response in time'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    await once(socket, tls === undefined ? 'connect' : 'secureConnect')
    const connection = { ask: asker(socket, clientId), close: () => void socket.destroy() }
    if (sasl !== undefined) await authenticate(connection, sasl)
    return {
      ...connection,
      close() {
        signal.removeEventListener('abort', abort)
        socket.destroy()
      },
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** An address of digits is no name of a server (RFC 6066, 3). */
const nameOf = ({ host }: Address): string => (/^[\d.]+$|:/.test(host) ? '' : host)

function asker(socket: Socket, clientId: string): Connection['ask'] {
  let received = Buffer.alloc(0)
  let correlation = 0
  let waiting: { resolve(response: Buffer): void; reject(error: Error): void } | undefined
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    waiting?.reject(failure)
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the broker closes the connection')))
  socket.on('data', (data) => {
    received = Buffer.concat([received, data])
    if (received.length < 4) return
    const length = received.readInt32BE()
    if (length < 4 || length > LARGEST_RESPONSE) {
      socket.destroy(new Error('the server there does not speak the Kafka protocol'))
    } else if (received.length >= 4 + length) {
      const response = received.subarray(4, 4 + length)
      received = received.subarray(4 + length)
      waiting?.resolve(response)
    }
  })
  return async (apiKey, version, body) => {
    if (failure !== undefined) throw failure
    const responded = new Promise<Buffer>((resolve, reject) => {
      waiting = { resolve, reject }
    })
    const request = Buffer.concat([
      int16(apiKey),
      int16(version),
      int32(++correlation),
      text(clientId),
      ...body,
    ])
    socket.write(Buffer.concat([int32(request.length), request]))
    const response = reader(await responded)
    if (response.int32() !== correlation)
      throw new Error('the server there does not speak the Kafka protocol')
    return response
  }
}

const HANDSHAKE = 17
const AUTHENTICATE = 36

/** Logs in. Rejects with the reason of the broker, which names no secret. */
async function authenticate({ ask }: Pick<Connection, 'ask'>, sasl: Sasl): Promise<void> {
  const handshake = await ask(HANDSHAKE, 1, [text(sasl.mechanism)])
  if (handshake.int16() !== 0) {
    const offered = handshake.list(() => handshake.text()).join(', ')
    throw new Error(`the broker does not take ${sasl.mechanism}; it takes ${offered || 'no SASL at all'}`)
  }
  const exchange = async (message: string): Promise<string> => {
    const response = await ask(AUTHENTICATE, 0, [blob(Buffer.from(message))])
    const refused = response.int16() !== 0
    const reason = response.text()
    if (refused) throw new Error(`the broker refuses the credentials: ${reason}`)
    return response.blob().toString()
  }
  if (sasl.mechanism === 'PLAIN') await exchange(`\0${sasl.username}\0${sasl.password}`)
  else await scram(exchange, sasl)
}

/** RFC 5802 and 7677, without channel binding. */
async function scram(
  exchange: (message: string) => Promise<string>,
  { mechanism, username, password }: Sasl,
) {
  const digest = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, message: string) => createHmac(digest, key).update(message).digest()
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const challenge = await exchange(`n,,${bare}`)
  const { r = '', s = '', i = '' } = attributes(challenge)
  if (!r.startsWith(nonce) || !(Number(i) > 0)) throw new Error('the broker does not follow SCRAM')
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
  const { v = '' } = attributes(await exchange(`${last},p=${proof.toString('base64')}`))
  const expected = hmac(hmac(salted, 'Server Key'), conversation)
  const serverSignature = Buffer.from(v, 'base64')
  if (serverSignature.length !== expected.length || !timingSafeEqual(serverSignature, expected))
    throw new Error('the broker does not know the password either')
}

const attributes = (message: string): { readonly [name: string]: string } =>
  Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
