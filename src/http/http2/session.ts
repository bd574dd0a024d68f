import type { IncomingHttpHeaders } from 'node:http'
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Connection, KEEP_ALIVE_AFTER_REFUSAL } from '../connection.js'
import type { ConnectionLimit } from '../connection-limit.js'
import { headerBytes } from '../request-head.js'
import type { Timeouts } from '../timeouts.js'
import { type Allowance, Budget } from './budget.js'
import { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, REFUSED_STREAM, SETTINGS_TIMEOUT } from './error-codes.js'
import { RequestStream, type StreamConnection } from './request-stream.js'

/** Why a connection was closed although its sender had not asked for it. */
export type SessionFault = keyof typeof FAULTS | 'protocol'

export const FAULTS = {
  resets: 'too many requests ended before their response',
  frames: 'too many frames that are part of no request',
  settings: 'SETTINGS were not acknowledged in time',
  unread: 'a response was not read in time',
} as const

export interface SessionOptions {
  /** Of node:http2. */
  readonly protocol: ServerOptions
  readonly limit: ConnectionLimit
  readonly timeouts: Timeouts
  onRequest(stream: RequestStream): void
  /** Its body has not arrived in time. */
  onSlow(stream: RequestStream): void
  onFault(fault: SessionFault, detail: string, remoteAddress: string | undefined): void
}

/**
 * Requests that end before their response: the sender resets them (CVE-2023-44487), or makes the server do so by frames that
 * a stream does not allow (CVE-2025-8671). The work on each is done for nothing. A sender that gives up all that it may have
 * open twice in a row is within the limit.
 */
const RESETS: Allowance = { burst: 200, perSecond: 20 }
/**
 * Bytes of frames that are part of no request: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, frames without content, padding and
 * unknown types. A connection needs some hundred of them. Bytes, because node:http2 tells of some types only.
 */
const OTHER_FRAMES: Allowance = { burst: 128 * 1024, perSecond: 16 * 1024 }
/**
 * PING and SETTINGS: each needs a response. With 1000 that wait to be sent, nghttp2 gives a connection up without a word to
 * node:http2, and it would stay open.
 */
const ASKING: Allowance = { burst: 400, perSecond: 100 }
/** If so many bytes of other frames arrive between two looks, and then no request, nghttp2 may have given it up without a word, too. */
const SUSPICIOUS_BYTES = 4096

/** The frames that come with a request: WINDOW_UPDATE for its response, PRIORITY, PING to measure the way. */
const BYTES_WITH_REQUEST = 1024
/** A sender that does not know yet that its request is refused sends as much of the body: the window of a stream. */
const UNREAD_BODY = 65_535

/** A connection that speaks HTTP/2. */
export class Http2Session implements StreamConnection {
  readonly socket: TLSSocket
  readonly #options: SessionOptions
  readonly #session: ServerHttp2Session
  readonly #connection: Connection
  /** Kept, because a closed connection has none. */
  readonly #remoteAddress: string | undefined
  readonly #open = new Set<RequestStream>()
  readonly #openedAt = performance.now()
  readonly #resets = new Budget(RESETS, this.#openedAt)
  readonly #otherFrames = new Budget(OTHER_FRAMES, this.#openedAt)
  readonly #asking = new Budget(ASKING, this.#openedAt)
  /** Bytes: all that had arrived at the last look, and those that requests account for, arrived or not. */
  #arrived = 0
  #explained = 0
  #idleSince = this.#openedAt
  #idleTimeout: number
  #isSuspicious = false
  #hasFault = false
  #isEnding = false

  constructor(socket: TLSSocket, options: SessionOptions) {
    this.socket = socket
    this.#options = options
    this.#connection = Connection.of(socket)
    this.#remoteAddress = this.#connection.remoteAddress
    this.#idleTimeout = options.timeouts.headers
    const session = performServerHandshake(socket, options.protocol)
    this.#session = session
    session.on('stream', this.#onStream)
    session.on('error', this.#onError)
    session.on('ping', this.#onAsked)
    session.on('remoteSettings', this.#onAsked)
    // The sender has found a fault on this side.
    session.on('goaway', (code) => {
      this.#hasFault ||= code !== NO_ERROR
    })
    socket.once('end', () => this.#onEnd())
  }

  explain(bytes: number): void {
    this.#explained += bytes
  }

  keepAlive(milliseconds: number): void {
    this.#idleTimeout = milliseconds
  }

  drain(): void {
    this.#session.close()
  }

  /** Checks its time limits and its frames. */
  look(now: number): void {
    const { timeouts } = this.#options
    if (this.#session.destroyed || (this.#session.closed && this.#open.size === 0)) {
      // It waits until the sender has read everything, which may be never.
      if (this.#isEnding) this.socket.destroy()
      this.#isEnding = true
      return
    }
    const otherBytes = this.#unexplained()
    if (otherBytes > SUSPICIOUS_BYTES) {
      this.#isSuspicious = true
      this.#idleTimeout = KEEP_ALIVE_AFTER_REFUSAL
    }
    if (this.#session.pendingSettingsAck && now - this.#openedAt > timeouts.headers)
      this.#end('settings', SETTINGS_TIMEOUT)
    else if (!this.#otherFrames.spend(otherBytes, now)) this.#end('frames', ENHANCE_YOUR_CALM)
    else if (this.#open.size > 0) this.#lookAtStreams(now)
    else if (now - this.#idleSince <= this.#idleTimeout) return
    else if (this.#isSuspicious) this.#end('frames', ENHANCE_YOUR_CALM)
    else this.drain()
  }

  #lookAtStreams(now: number): void {
    const { timeouts, onSlow } = this.#options
    for (const stream of this.#open) {
      const { respondedAt, openedAt, complete, pending } = stream
      if (respondedAt === undefined) {
        const isSlow = !complete && !pending && now - openedAt > timeouts.request
        if (isSlow && stream.canBeSent) onSlow(stream)
      } else if (now - respondedAt > (complete ? timeouts.inactive : timeouts.headers)) {
        this.#end('unread', CANCEL)
        return
      }
    }
  }

  #unexplained(): number {
    const { bytesRead } = this.socket
    const bytes = bytesRead - this.#arrived
    const explained = Math.min(bytes, this.#explained)
    this.#arrived = bytesRead
    this.#explained -= explained
    return bytes - explained
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void => {
    const { limit, timeouts, onRequest } = this.#options
    // The end of the stream is all that matters of an error, and each of them has one.
    stream.on('error', () => {})
    if (this.#hasFault) return
    this.explain(headerBytes(rawHeaders) + BYTES_WITH_REQUEST)
    if (stream.closed || stream.destroyed) {
      this.#onReset()
      return
    }
    const { isFull } = this.#connection
    if (isFull || (this.#open.size > 0 && !limit.admitFurther(this.#connection))) {
      // The sender may send it again: nothing has been done for it.
      stream.close(REFUSED_STREAM)
      // The requests in progress are those that it has given up: it would open as many for ever.
      if (isFull) this.#onReset()
      return
    }
    const complete = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    if (!complete) this.explain(UNREAD_BODY)
    const request = new RequestStream(stream, { headers, rawHeaders, complete }, this)
    this.#open.add(request)
    this.#idleTimeout = timeouts.keepAlive
    this.#isSuspicious = false
    stream.once('close', () => this.#onClosed(request))
    onRequest(request)
  }

  #onClosed(request: RequestStream): void {
    this.#open.delete(request)
    if (this.#open.size > 0) this.#options.limit.endFurther()
    else this.#idleSince = performance.now()
    if (request.respondedAt === undefined) this.#onReset()
  }

  /** A sender may end its side of the connection after its requests, and still gets their responses. */
  #onEnd(): void {
    for (const stream of this.#open) if (!stream.complete && !stream.pending) stream.cancel()
    this.drain()
  }

  readonly #onAsked = (): void => {
    if (!this.#asking.spend(1, performance.now())) this.#end('frames', ENHANCE_YOUR_CALM)
  }

  #onReset(): void {
    if (!this.#resets.spend(1, performance.now())) this.#end('resets', ENHANCE_YOUR_CALM)
  }

  #end(fault: keyof typeof FAULTS, code: number): void {
    if (this.#hasFault || this.#session.destroyed) return
    this.#hasFault = true
    this.#options.onFault(fault, FAULTS[fault], this.#remoteAddress)
    // Before anything that waits to be sent; destroyed in the middle of a read, the session would not send it.
    this.#session.goaway(code)
    setImmediate(() => this.#session.destroy(new Error(FAULTS[fault]), code))
  }

  /** Of node:http2: the sender broke the protocol, or one of its limits. */
  readonly #onError = (error: Error & { readonly code?: string }): void => {
    if (this.#hasFault || GONE.has(error.code ?? '')) return
    this.#options.onFault('protocol', error.message, this.#remoteAddress)
  }
}

/** The sender has closed the connection. */
const GONE = new Set(['ECONNRESET', 'EPIPE'])
