import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { onceAMinute } from '../lib/rate.js'
import { Connection } from './connection.js'
import type { ConnectionLimit } from './connection-limit.js'
import { allowHalfOpen, tcpSocketBelow } from './node-internals.js'
import { rawResponse } from './problem.js'

/** The reason why a TLS handshake failed. */
export type HandshakeFailure = 'plain-http' | 'client-certificate' | 'too-slow' | 'failed'

/** TLS of a listener. */
export interface Secure {
  /** True if a client must show a certificate that `ca` has signed. */
  readonly clientCertificates: boolean
  /** The current certificate. */
  context(): SecureContextOptions
  /** `use` is called with each certificate that replaces it. */
  onRenewed(use: (context: SecureContextOptions) => void): void
  onHandshakeFailed(failure: HandshakeFailure, detail: string): void
}

export interface HttpServer {
  readonly server: Server
  /** The sockets that requests arrive on; with TLS, only these tell how much waits to be sent. */
  readonly sockets: ReadonlySet<Socket>
}

const MIN_VERSION = 'TLSv1.2'

/** A server for HTTP, or for HTTPS if there is a certificate. `protocols`: those of ALPN. */
export function createHttpServer(
  options: ServerOptions,
  secure: Secure | undefined,
  limit: ConnectionLimit,
  protocols: readonly string[] = ['http/1.1'],
): HttpServer {
  const server =
    secure === undefined
      ? createServer(options)
      : secureServer(options, secure, protocols, (tls) => refusePlain(tls, limit))
  allowHalfOpen(server)
  server.on('connection', (socket: Socket) => limit.admit(socket))
  return { server, sockets: secure === undefined ? limit.open : secureSockets(server) }
}

/** Goes to the connection below: a TLS socket would encrypt it. */
function refusePlain({ remoteAddress, remotePort }: TLSSocket, { open }: ConnectionLimit): void {
  for (const connection of open) {
    if (connection.remotePort !== remotePort || connection.remoteAddress !== remoteAddress) continue
    // It may be closed already, and nothing else listens to the errors of this socket.
    connection.on('error', () => {})
    connection.write(rawResponse(plainHttp).text)
  }
}

const plainHttp = new HeadgateError('HG_TLS_EXPECTED', 'This port speaks HTTPS; the request was plain HTTP.')

function secureSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket: TLSSocket) => {
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const below = tcpSocketBelow(socket)
    if (below) Connection.of(below).secure(socket)
  })
  return sockets
}

/** Logs at most once a minute that connections could not be accepted: without descriptors, each of a flood fails. */
export function logAcceptErrors(server: Server, log: Log): void {
  let last: Error | undefined
  const say = onceAMinute((count) => log.error({ err: last, count }, 'connections could not be accepted'))
  server.on('error', (error) => {
    last = error
    say()
  })
}

/**
 * Cuts connections whose sender has read none of the waiting bytes from one look to the next, `every` milliseconds later.
 * node:http's own `timeout` does the same with a timer that each request restarts.
 */
export function cutStalled(server: Server, sockets: ReadonlySet<Socket>, every: number): void {
  const sent = new WeakMap<Socket, number>()
  const looking = setInterval(() => {
    for (const socket of sockets) {
      const { bytesWritten, writableLength } = socket
      if (writableLength === 0) sent.delete(socket)
      else if (sent.get(socket) === bytesWritten - writableLength) socket.destroy()
      else sent.set(socket, bytesWritten - writableLength)
    }
  }, every).unref()
  server.once('close', () => clearInterval(looking))
}

function secureServer(
  options: ServerOptions,
  secure: Secure,
  protocols: readonly string[],
  onPlainHttp: (socket: TLSSocket) => void,
): Server {
  const server = createSecureServer({
    ...options,
    ...secure.context(),
    minVersion: MIN_VERSION,
    ALPNProtocols: [...protocols],
    requestCert: secure.clientCertificates,
    rejectUnauthorized: secure.clientCertificates,
    ...(options.headersTimeout !== undefined && { handshakeTimeout: options.headersTimeout }),
    // The default of node:http, but not of node:https.
    noDelay: true,
  })
  secure.onRenewed((context) => server.setSecureContext({ ...context, minVersion: MIN_VERSION }))
  // Here, too, a sender may end its side and still get its response. Before the handshake there is nothing to respond to.
  server.on('secureConnection', (socket) => {
    socket.allowHalfOpen = true
  })
  // node:https would report it as an error of HTTP that needs a response.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
    const failure = failureOf(error.code, socket)
    if (failure === 'plain-http') onPlainHttp(socket)
    if (failure !== undefined)
      secure.onHandshakeFailed(failure, String(socket.authorizationError ?? error.message))
    socket.destroy()
  })
  return server
}

/** Undefined if the client has just closed the connection, as health checks of load balancers do. */
function failureOf(
  code: string | undefined,
  { authorizationError }: TLSSocket,
): HandshakeFailure | undefined {
  // Typed as an error, but it is a code, and null if there is none.
  if (typeof authorizationError === 'string') return 'client-certificate'
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client-certificate'
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'plain-http'
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'too-slow'
  return code === 'ECONNRESET' || code === 'EPIPE' ? undefined : 'failed'
}
