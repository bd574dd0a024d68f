import type { Socket } from 'node:net'
import type { HeadgateError } from '../contract/errors.js'
import { canonicalAddress } from '../lib/networks.js'
import type { OutgoingResponse } from './node-internals.js'
import { rawResponse } from './problem.js'

/** Milliseconds of reading and discarding before a connection is closed: a reset would overtake the response. */
const LINGER_MS = 500

/** On the socket itself: a map would cost each request a look-up. */
const CONNECTION = Symbol('connection')

interface Marked {
  [CONNECTION]?: Connection
}

/** How many requests of a connection may wait for their responses. */
export const MAX_PIPELINED = 100
/** Milliseconds that a connection may wait for its next request after a refused one. */
export const KEEP_ALIVE_AFTER_REFUSAL = 1000
/** The sender has not proved its identity, or does not know the path: it may be a stranger. */
const REFUSALS = new Set([401, 403, 404, 405])

export const isRefusal = (status: number): boolean => REFUSALS.has(status)

/** A connection of the listener: its state beyond that of its socket. */
export class Connection {
  /** The socket that requests arrive on: with TLS, the one above. */
  socket: Socket
  /** The response to the last request that arrived on it. */
  last: OutgoingResponse | undefined = undefined
  /** True once none of its bytes is read as a request any more. */
  closing = false
  /** True if its last request was accepted, so that its sender has proved its identity. */
  trusted = false
  /** Called when the last request in progress has ended. */
  onIdle: (() => void) | undefined = undefined
  /** The list of idle connections that it is in. */
  idle: IdleConnections | undefined = undefined
  previous: Connection | undefined = undefined
  next: Connection | undefined = undefined
  /** True once a load balancer has told where it comes from. */
  isProxied = false
  #inProgress = 0
  #told: string | undefined = undefined

  private constructor(readonly tcpSocket: Socket) {
    this.socket = tcpSocket
  }

  static of(socket: Socket): Connection {
    const marked = socket as Marked
    marked[CONNECTION] ??= new Connection(socket)
    return marked[CONNECTION]
  }

  /** From now on requests arrive on `socket`, which speaks TLS over the TCP socket. */
  secure(socket: Socket): void {
    this.socket = socket
    ;(socket as Marked)[CONNECTION] = this
  }

  /** A load balancer has passed it on; `address` is undefined if it is one of the load balancer itself. */
  proxied(address: string | undefined): void {
    this.isProxied = true
    this.#told = address
  }

  /** The address at its other end, or the one that a load balancer has told; undefined if it is closed. */
  get remoteAddress(): string | undefined {
    return this.#told ?? canonicalAddress(this.tcpSocket.remoteAddress ?? '')
  }

  /** The next request on it. Returns false if it must not be read any more: then it gets no response either. */
  accept(response: OutgoingResponse): boolean {
    if (this.closing) return false
    if (this.isFull) {
      // It cannot be stopped in the middle of a segment, which may have thousands of requests, each with an object or two.
      this.closing = true
      this.socket.destroy()
      return false
    }
    this.last = response
    return true
  }

  /** True if as many requests as allowed wait for their responses. */
  get isFull(): boolean {
    return this.#inProgress >= MAX_PIPELINED
  }

  /** A request is complete, or refused: it will get a response. */
  begin(): void {
    if (this.#inProgress++ === 0) this.idle?.remove(this)
  }

  /** Its response had this status; undefined if there was none because its sender had left. */
  end(status: number | undefined): void {
    this.#inProgress--
    if (status !== undefined && isRefusal(status)) this.#distrust()
    else if (status !== undefined && status < 300) this.trusted = true
    if (this.#inProgress === 0) this.onIdle?.()
  }

  #distrust(): void {
    this.trusted = false
    // After node:http, which sets the same time-out for every connection then, and resets it when the next request arrives.
    this.last?.once('finish', () => {
      if (this.#inProgress === 0) this.socket.setTimeout(KEEP_ALIVE_AFTER_REFUSAL)
    })
  }

  /**
   * Accepts no more requests, and closes the connection once all earlier ones have their responses; `error` is the last
   * response. Resolves with its status, or with undefined if nothing was written: the sender has left, or the response before
   * it closed the connection.
   */
  async close(error: HeadgateError | undefined): Promise<number | undefined> {
    const { socket } = this
    this.closing = true
    socket.on('error', () => {})
    if (!(await this.lastResponseSent()) || !socket.writable) return undefined
    const response = error === undefined ? undefined : rawResponse(error)
    socket.end(response?.text ?? '')
    const lingering = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(lingering))
    socket.once('end', () => socket.destroySoon())
    socket.resume()
    return response?.status
  }

  /** Resolves with true when the response to the last request has been written, with false if the connection closes first. */
  lastResponseSent(): Promise<boolean> {
    const { last, socket } = this
    if (last === undefined || last.isWritten) return Promise.resolve(true)
    // All further bytes would only be discarded.
    socket.pause()
    return new Promise((resolve) => {
      const closed = () => resolve(false)
      socket.once('close', closed)
      last.once('finish', () => {
        socket.off('close', closed)
        resolve(true)
      })
    })
  }
}

/** Connections that wait for a request, the longest waiting first. A linked list: each request leaves it and returns. */
export class IdleConnections {
  first: Connection | undefined = undefined
  #last: Connection | undefined = undefined

  add(connection: Connection): void {
    connection.idle = this
    connection.previous = this.#last
    if (this.#last === undefined) this.first = connection
    else this.#last.next = connection
    this.#last = connection
  }

  remove(connection: Connection): void {
    const { previous, next } = connection
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    connection.idle = undefined
    connection.previous = undefined
    connection.next = undefined
  }
}
