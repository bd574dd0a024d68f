/**
 * All code that relies on internals of Node.js. Each use names the file of Node.js that it relies on, or the test in
 * test/http/node-internals.test.ts fails when a release changes it.
 */
import { type Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { type Server, type Socket, Server as TcpServer } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** Receives the body of one request as it arrives. */
export interface BodyReader {
  /** The next piece. Returns false if no more of the body is needed: the rest of it is discarded. */
  piece(bytes: Buffer): boolean
  /** The last piece has arrived. */
  end(): void
  /** The sender has closed the connection before that, or was too slow. */
  aborted(): void
}

/**
 * A request whose body goes to its reader straight from the parser, which calls `push` for each piece and at the end
 * (node:http, _http_common.js). As a stream, it would defer its flow, its end, its destruction and its closing to a turn of
 * the queue each, for every event.
 */
export class IncomingRequest extends IncomingMessage {
  #reader: BodyReader | undefined = undefined
  #discards = false
  /** node:http sets it when the body is read: otherwise it would discard the body once the response has been sent. */
  declare _consuming: boolean

  /** Call it before any of the body has arrived. From then on the request is no stream any more, unless the reader stops. */
  readBody(reader: BodyReader): void {
    this.#reader = reader
  }

  /** Its body will never be complete. */
  abort(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.aborted()
  }

  /** Discards the rest of the body. The request is closed at the end of it. */
  discard(): void {
    this.#reader = undefined
    this.#discards = true
    this.resume()
  }

  override push(bytes: Buffer | null): boolean {
    const reader = this.#reader
    // As a stream, it would keep all pieces of a segment until the next tick.
    if (reader === undefined) return this.#discards && bytes !== null ? true : super.push(bytes)
    if (bytes === null) {
      this.#reader = undefined
      this._consuming = true
      reader.end()
    } else if (!reader.piece(bytes)) this.discard()
    return true
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.abort()
    super._destroy(error, callback)
  }
}

/**
 * A response whose head and body go to the socket as one text. `end` passes on two pieces, the second of them empty, which the
 * socket holds back, gathers and writes as a list (node:http, _http_outgoing.js).
 */
export class OutgoingResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** True once it is certain that it will be sent: its request is complete, or refused. */
  pending = false
  /** False if the request or the status allows none. */
  declare _hasBody: boolean
  /** True if node:http closes the connection after it, even if more is arriving on it. */
  declare _last: boolean
  /** Milliseconds, as the header Keep-Alive tells them. */
  declare _keepAliveTimeout: number
  /** Waits for earlier responses on its connection. */
  declare outputData: readonly unknown[]
  /** Writes the head first. */
  declare _send: (text: string, encoding: 'latin1' | 'utf8', sent: () => void) => boolean
  declare _finish: () => void
  #isWritten = false

  /** Since Node.js 24, `writableFinished` is true only after an `end` of node:http. */
  get isWritten(): boolean {
    return this.#isWritten || this.writableFinished
  }

  /** False if the sender has closed the connection, or an earlier response has. */
  get canBeSent(): boolean {
    return !this.destroyed && this.req.socket.writable
  }

  /** The connection waits so many milliseconds for its next request. */
  keepAlive(milliseconds: number): void {
    this._keepAliveTimeout = milliseconds
  }

  /** Its `Connection: close` is for the sender: the caller closes the connection, not node:http. */
  leaveConnectionOpen(): void {
    this._last = false
  }

  /** Instead of `end`, once the head has been written. `bytes`: the length of the body, as the head has it. */
  endWith(body: string, bytes: number): void {
    if (!this._hasBody) {
      this.end()
      return
    }
    // The steps of `end`, in its order: node:http goes on to the next request when `finish` is emitted.
    // A text with one byte for each character is ASCII, which needs no encoding.
    this._send(body, bytes === body.length ? 'latin1' : 'utf8', () => {
      this.#isWritten = true
      this.emit('finish')
    })
    this.finished = true
    if (this.socket !== null && this.outputData.length === 0) this._finish()
  }
}

/** A sender may end its side of the connection after its request, and still gets its response (node:http, _http_server.js). */
export function allowHalfOpen(server: HttpServer): void {
  Object.assign(server, { httpAllowHalfOpen: true })
}

/**
 * Closes the listening socket alone. The `close` of http.Server would at once cut idle connections, which may be about to
 * send, and end the checks for slow requests.
 */
export function closeListeningSocket(server: HttpServer, closed: () => void): void {
  TcpServer.prototype.close.call(server, closed)
}

/**
 * Nothing is read from new connections before their `resume`: an option of node:net for sockets that are passed on to other
 * processes.
 */
export function pauseNewConnections(server: Server, pause: boolean): void {
  Object.assign(server, { pauseOnConnect: pause })
}

/** The TCP connection below one that speaks TLS (node:tls, _tls_wrap.js). */
export const tcpSocketBelow = (socket: TLSSocket & { readonly _parent?: Socket }): Socket | undefined =>
  socket._parent

/** Gives node:http a connection again, as if it were new. */
export function serveAgain(server: HttpServer, socket: Socket, secure: boolean): void {
  server.emit(secure ? 'secureConnection' : 'connection', socket)
}
