import {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Incoming, Outgoing } from '../message.js'
import type { BodyReader } from '../node-internals.js'
import { CANCEL, NO_ERROR } from './error-codes.js'

/** The connection of a request, as the request sees it. */
export interface StreamConnection {
  readonly socket: Socket
  /** So many bytes that have arrived on it were parts of requests. */
  explain(bytes: number): void
  /** Waits so many milliseconds for the next request. */
  keepAlive(milliseconds: number): void
  /** Accepts no more requests, and closes after the responses to those that have come. */
  drain(): void
}

/** The head of a request as node:http2 has it. */
export interface StreamHead {
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** Without a body. */
  readonly complete: boolean
}

/** The header of its frame. */
const BYTES_WITH_PIECE = 9
/** Of HTTP/1 only (RFC 9113, 8.2.2). */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** A request and its response on a stream of HTTP/2. */
export class RequestStream implements Incoming, Outgoing {
  readonly httpVersion = '2.0'
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** As `:authority` names it; undefined if it does not. */
  readonly authority: string | undefined
  readonly openedAt = performance.now()
  complete: boolean
  pending = false
  closed = false
  /** When its response was written. */
  respondedAt: number | undefined = undefined
  readonly #stream: ServerHttp2Stream
  readonly #connection: StreamConnection
  #reader: BodyReader | undefined = undefined
  #isLast = false

  constructor(
    stream: ServerHttp2Stream,
    { headers, rawHeaders, complete }: StreamHead,
    connection: StreamConnection,
  ) {
    this.method = text(headers[':method'])
    this.url = text(headers[':path'])
    this.authority = text(headers[':authority'])
    this.headers = withoutPseudoHeaders(headers)
    if (this.authority !== undefined) this.headers.host ??= this.authority
    this.rawHeaders = rawHeaders
    this.complete = complete
    this.#stream = stream
    this.#connection = connection
    stream.once('close', () => {
      this.closed = true
      this.abort()
    })
  }

  get socket(): Socket {
    return this.#connection.socket
  }

  once(event: 'close', listener: () => void): void {
    this.#stream.once(event, listener)
  }

  readBody(reader: BodyReader): void {
    if (this.complete) {
      reader.end()
      return
    }
    this.#reader = reader
    this.#stream.on('data', (bytes: Buffer) => this.#onPiece(bytes))
    this.#stream.on('end', () => this.#onEnd())
  }

  /** Its body will never be complete. */
  abort(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.aborted()
  }

  /** It gets no response. */
  cancel(): void {
    this.#stream.close(CANCEL)
  }

  #onPiece(bytes: Buffer): void {
    this.#connection.explain(bytes.length + BYTES_WITH_PIECE)
    // The rest of the body is discarded as it comes.
    if (this.#reader?.piece(bytes) === false) this.#reader = undefined
  }

  #onEnd(): void {
    const reader = this.#reader
    // node:http2 ends it in the same way if the sender resets the stream in the middle of the body.
    if (this.#stream.closed) return
    this.#reader = undefined
    this.complete = true
    reader?.end()
  }

  get canBeSent(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed
  }

  writeContinue(): void {
    if (this.canBeSent) this.#stream.additionalHeaders({ ':status': 100 })
  }

  keepAlive(milliseconds: number): void {
    this.#connection.keepAlive(milliseconds)
  }

  writeHead(status: number, lines: readonly string[]): void {
    const headers: OutgoingHttpHeaders = { ':status': status }
    for (let index = 0; index < lines.length; index += 2) {
      const name = (lines[index] as string).toLowerCase()
      const value = lines[index + 1] as string
      if (name === 'connection') this.#isLast ||= value === 'close'
      if (OF_CONNECTION.has(name)) continue
      validateHeaderName(name)
      validateHeaderValue(name, value)
      headers[name] = value
    }
    this.#stream.respond(headers)
  }

  endWith(body: string): void {
    const stream = this.#stream
    // It has ended already if the request or the status allows no body.
    if (!stream.writableEnded) stream.end(body)
    this.respondedAt = performance.now()
    // After the response: the sender need not send the rest (RFC 9113, 8.1).
    if (!this.complete) stream.close(NO_ERROR)
    if (this.#isLast) this.#connection.drain()
  }
}

function withoutPseudoHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const others: IncomingHttpHeaders = {}
  for (const name in headers) if (!name.startsWith(':')) others[name] = headers[name]
  return others
}

const text = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined
