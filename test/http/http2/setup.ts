import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import { tmpdir } from 'node:os'
import { onTestFinished } from 'vitest'
import type { HttpHandler } from '../../../src/contract/index.js'
import type { ListenerOptions } from '../../../src/http/listener.js'
import type { Secure } from '../../../src/http/server.js'
import { makePair, read } from '../../helpers/certificates.js'
import { listen } from '../setup.js'

let pair: ReturnType<typeof read> | undefined

/** The certificate of all listeners, for localhost. */
export function certificate(): ReturnType<typeof read> {
  if (pair === undefined) {
    const folder = mkdtempSync(`${tmpdir()}/headgate-test-`)
    pair = read(makePair(folder, 'server'))
    rmSync(folder, { recursive: true })
  }
  return pair
}

/** `handler` at /in, over TLS. */
export const listenSecure = (
  handler: HttpHandler,
  { secure, ...options }: Partial<Omit<ListenerOptions, 'secure'>> & { secure?: Partial<Secure> } = {},
) =>
  listen(handler, {
    ...options,
    secure: {
      clientCertificates: false,
      context: certificate,
      onRenewed: () => {},
      onHandshakeFailed: () => {},
      ...secure,
    },
  })

/** A client of HTTP/2, connected. */
export async function client(port: number, options: object = {}): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${port}`, { ca: certificate().cert, ...options })
  onTestFinished(() => session.destroy())
  await once(session, 'connect')
  session.on('error', () => {})
  return session
}

/** Sends a request with a body, and resolves with its response. Rejects if its stream is reset. */
export async function send(session: ClientHttp2Session, body: string, headers: OutgoingHttpHeaders = {}) {
  const stream = session.request({ ':method': 'POST', ':path': '/in', ...headers }, { endStream: false })
  stream.end(body)
  let text = ''
  stream.setEncoding('utf8').on('data', (piece) => {
    text += piece
  })
  const closed = new Promise((resolve) => stream.once('close', resolve))
  const withoutResponse = closed.then(() => Promise.reject(new Error('closed without a response')))
  const [head] = await Promise.race([once(stream, 'response'), withoutResponse])
  await closed
  return { status: head[':status'], headers: head, text }
}
