import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { BodyReader } from './node-internals.js'

/** A request whose head has arrived: of HTTP/1, or on a stream of HTTP/2. */
export interface Incoming {
  readonly httpVersion: string
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Names and values, alternately, as they were sent. */
  readonly rawHeaders: readonly string[]
  /** That of its connection. */
  readonly socket: Socket
  /** True once its body has arrived. */
  readonly complete: boolean
  /** True if neither more of it nor its response can be on the way. */
  readonly closed: boolean
  once(event: 'close', listener: () => void): unknown
  /** Call it before any of the body has been read. */
  readBody(reader: BodyReader): void
}

/** The response to a request. */
export interface Outgoing {
  /** True once it is certain that it will be sent: its request is complete, or refused. */
  pending: boolean
  /** False if the sender has left. */
  readonly canBeSent: boolean
  writeContinue(): void
  /** The connection waits so many milliseconds for its next request. */
  keepAlive(milliseconds: number): void
  /** `lines`: names and values, alternately. Throws if HTTP does not allow them. */
  writeHead(status: number, lines: string[]): unknown
  /** `bytes`: the length of the body, as the head has it. */
  endWith(body: string, bytes: number): void
}
