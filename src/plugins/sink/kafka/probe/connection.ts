import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { authenticate } from './sasl.js'
import type { Security } from './security.js'
import { type Encoded, int16, int32, type Reader, reader, text } from './wire.js'

export interface Address {
  readonly host: string
  readonly port: number
}

/** One connection to one broker. */
export interface Connection {
  /** Sends a request and reads its answer; one at a time. Rejects where the broker closes or `signal` is aborted. */
  ask(apiKey: number, version: number, body: readonly Encoded[]): Promise<Reader>
  close(): void
}

/** Nothing that is asked for here is anywhere near. Bytes. */
const LARGEST_ANSWER = 64 * 1024 * 1024
const CLIENT_ID = 'headgate-validate'

/** Whether something listens there. Rejects with the error of the socket. */
export async function reach(address: Address, signal: AbortSignal): Promise<void> {
  const socket = connectTcp(address)
  try {
    await once(socket, 'connect', { signal })
  } finally {
    socket.destroy()
  }
}

/** Connects, with TLS and a login where the properties say so. */
export async function openConnection(
  address: Address,
  { tls, sasl }: Security,
  signal: AbortSignal,
): Promise<Connection> {
  signal.throwIfAborted()
  const socket: Socket | TLSSocket =
    tls === undefined ? connectTcp(address) : connectTls({ ...address, servername: nameOf(address), ...tls })
  const abort = () => socket.destroy(new Error('no answer in time'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    await once(socket, tls === undefined ? 'connect' : 'secureConnect')
    const connection = { ask: asker(socket), close: () => void socket.destroy() }
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

function asker(socket: Socket): Connection['ask'] {
  let received = Buffer.alloc(0)
  let correlation = 0
  let waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | undefined
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
    if (length < 4 || length > LARGEST_ANSWER) {
      socket.destroy(new Error('what answers there is no Kafka'))
    } else if (received.length >= 4 + length) {
      const answer = received.subarray(4, 4 + length)
      received = received.subarray(4 + length)
      waiting?.resolve(answer)
    }
  })
  return async (apiKey, version, body) => {
    if (failure !== undefined) throw failure
    const answered = new Promise<Buffer>((resolve, reject) => {
      waiting = { resolve, reject }
    })
    const request = Buffer.concat([
      int16(apiKey),
      int16(version),
      int32(++correlation),
      text(CLIENT_ID),
      ...body,
    ])
    socket.write(Buffer.concat([int32(request.length), request]))
    const answer = reader(await answered)
    if (answer.int32() !== correlation) throw new Error('what answers there is no Kafka')
    return answer
  }
}
