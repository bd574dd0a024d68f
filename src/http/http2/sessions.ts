import type { Server } from 'node:http'
import type { ServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Log } from '../../contract/index.js'
import { onceAMinute } from '../../lib/rate.js'
import { MAX_PIPELINED } from '../connection.js'
import { MAX_HEADERS } from '../request-head.js'
import { Http2Session, type SessionFault, type SessionOptions } from './session.js'

export interface Http2Options extends Omit<SessionOptions, 'protocol' | 'onFault'> {
  readonly maxHeaderSize: number
  readonly log: Log
  readonly onFault?: ((fault: SessionFault) => void) | undefined
}

/** All connections of a server that speak HTTP/2. The others remain those of node:http. */
export class Http2Sessions {
  readonly #open = new Set<Http2Session>()
  readonly #options: SessionOptions

  /** The server has agreed with its clients on HTTP/2 or HTTP/1 in the handshake of TLS (ALPN). */
  constructor(server: Server, { maxHeaderSize, log, onFault, ...options }: Http2Options) {
    const logFault = faultLogger(log)
    this.#options = {
      ...options,
      protocol: protocolOptions(maxHeaderSize),
      onFault(fault, ...details) {
        onFault?.(fault)
        logFault(fault, ...details)
      },
    }
    const listeners = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
    const [serveHttp1, ...others] = listeners
    server.removeAllListeners('secureConnection')
    server.on('secureConnection', (socket: TLSSocket) => {
      const speaksHttp2 = socket.alpnProtocol === 'h2'
      if (!speaksHttp2) serveHttp1?.call(server, socket)
      for (const listener of others) listener.call(server, socket)
      if (speaksHttp2) this.#accept(socket)
    })
    const looking = setInterval(() => this.#look(), options.timeouts.checkEvery).unref()
    server.once('close', () => clearInterval(looking))
  }

  /** Tells all senders to send no more requests, and closes each connection after its last response. */
  drain(): void {
    for (const session of this.#open) session.drain()
  }

  #accept(socket: TLSSocket): void {
    if (socket.destroyed) return
    const session = new Http2Session(socket, this.#options)
    this.#open.add(session)
    socket.once('close', () => this.#open.delete(session))
  }

  #look(): void {
    const now = performance.now()
    for (const session of this.#open) session.look(now)
  }
}

/**
 * The limits of node:http2, and of nghttp2 below it, written out. Without an option are those of nghttp2 (1.61 or later,
 * which all releases of Node.js from 20.19 on have): 8 CONTINUATION frames after a HEADERS frame, and 1000 acknowledgements
 * of PING and SETTINGS that wait to be sent.
 */
const protocolOptions = (maxHeaderSize: number): ServerOptions => ({
  settings: {
    maxConcurrentStreams: MAX_PIPELINED,
    // Beyond it the stream is reset without a word: with less, the sender gets 431 and its reason.
    maxHeaderListSize: 4 * maxHeaderSize,
  },
  /** Holds for compressed headers, too, and before a client has acknowledged the settings. */
  maxHeaderListPairs: 2 * MAX_HEADERS,
  /** Entries of a SETTINGS frame. */
  maxSettings: 32,
  /** MB, for each connection; headers are the largest part. */
  maxSessionMemory: 10,
  /** Frames without content, and others that are invalid without being an error of the connection. */
  maxSessionInvalidFrames: 1000,
  /**
   * Streams beyond `maxConcurrentStreams`, which is no fault: node:http2 counts a stream that its sender has reset until the
   * next tick. Nothing is done for them.
   */
  maxSessionRejectedStreams: 1000,
})

/** Logs at most once a minute that connections were closed for a fault: a sender that causes one can cause many. */
function faultLogger(log: Log): SessionOptions['onFault'] {
  let last = {}
  const say = onceAMinute((count) =>
    log.warn({ event: 'http2-closed', ...last, count }, 'connections of HTTP/2 were closed'),
  )
  return (reason, detail, remoteAddress) => {
    last = { reason, detail, remote_address: remoteAddress }
    say()
  }
}
