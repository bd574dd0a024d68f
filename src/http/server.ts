import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { onceAMinute } from '../lib/log-limits.js'
import { Connection } from './connection.js'
import type { ConnectionLimit } from './connection-limit.js'
import { rawAnswer } from './raw-answer.js'

/** Why TLS was not agreed on. */
export type HandshakeFailure = 'plain-http' | 'client-certificate' | 'too-slow' | 'failed'

/** What a listener needs to speak TLS. */
export interface Secure {
  /** Whoever shows no certificate that `ca` vouches for is turned away. */
  readonly clientCertificates: boolean
  /** The certificate now. */
  context(): SecureContextOptions
  /** `use` is called with each that comes in its place. */
  onRenewed(use: (context: SecureContextOptions) => void): void
  onHandshakeFailed(failure: HandshakeFailure, detail: string): void
}

export interface HttpServer {
  readonly server: Server
  /** Those that requests come on; with TLS, what waits to be sent can be seen only here. */
  readonly speaking: ReadonlySet<Socket>
}

const MIN_VERSION = 'TLSv1.2'

/** A server for HTTP, or for HTTPS where there is a certificate. */
export function createHttpServer(
  options: ServerOptions,
  secure: Secure | undefined,
  limit: ConnectionLimit,
): HttpServer {
  const server = secure === undefined ? createServer(options) : secureServer(options, secure, answerPlain)
  // A sender may end its side after its request, and is answered.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', limit.admit)
  const { open } = limit
  const speaking = secure === undefined ? open : speakingOnes(server)
  /** To the connection below: what is written to a TLS socket would have to be encrypted. */
  function answerPlain({ remoteAddress, remotePort }: TLSSocket): void {
    for (const connection of open) {
      if (connection.remotePort !== remotePort || connection.remoteAddress !== remoteAddress) continue
      // It may have gone, and nobody else listens to errors down here.
      connection.on('error', () => {})
      connection.write(rawAnswer(plainHttp).text)
    }
  }
  return { server, speaking }
}

function speakingOnes(server: Server): ReadonlySet<Socket> {
  const speaking = new Set<Socket>()
  server.on('secureConnection', (connection: TLSSocket & { readonly _parent?: Socket }) => {
    if (speaking.has(connection)) return
    speaking.add(connection)
    connection.once('close', () => speaking.delete(connection))
    // The socket below, as node:tls has it.
    if (connection._parent) Connection.of(connection._parent).secure(connection)
  })
  return speaking
}

/** Says at most once a minute that connections could not be accepted: without descriptors, each of a flood fails. */
export function logAcceptErrors(server: Server, log: Log): void {
  let last: Error | undefined
  const say = onceAMinute((count) => log.error({ err: last, count }, 'connections could not be accepted'))
  server.on('error', (error) => {
    last = error
    say()
  })
}

const plainHttp = new HeadgateError('HG_TLS_EXPECTED', 'This port speaks HTTPS; the request was plain HTTP.')

function secureServer(
  options: ServerOptions,
  secure: Secure,
  answerPlain: (connection: TLSSocket) => void,
): Server {
  const server = createSecureServer({
    ...options,
    ...secure.context(),
    minVersion: MIN_VERSION,
    requestCert: secure.clientCertificates,
    rejectUnauthorized: secure.clientCertificates,
    ...(options.headersTimeout !== undefined && { handshakeTimeout: options.headersTimeout }),
    // As node:http has it, and node:https does not.
    noDelay: true,
  })
  secure.onRenewed((context) => server.setSecureContext({ ...context, minVersion: MIN_VERSION }))
  // So, too, a sender may end its side and still be answered. Before, there is nothing to answer.
  server.on('secureConnection', (connection) => {
    connection.allowHalfOpen = true
  })
  // node:https would pass it on as an error of HTTP, to be answered.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: Error & { readonly code?: string }, connection) => {
    const failure = failureOf(error.code, connection)
    if (failure === 'plain-http') answerPlain(connection)
    if (failure !== undefined)
      secure.onHandshakeFailed(failure, String(connection.authorizationError ?? error.message))
    connection.destroy()
  })
  return server
}

/** Undefined where the other side has just gone, as health checks of load balancers do. */
function failureOf(
  code: string | undefined,
  { authorizationError }: TLSSocket,
): HandshakeFailure | undefined {
  // Typed as an error, but it is a code, and null where there is none.
  if (typeof authorizationError === 'string') return 'client-certificate'
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client-certificate'
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'plain-http'
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'too-slow'
  return code === 'ECONNRESET' || code === 'EPIPE' ? undefined : 'failed'
}
