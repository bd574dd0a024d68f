import type { Socket } from 'node:net'
import type { HeadgateError } from '../contract/errors.js'
import type { WaitingConnections } from './connection-limit.js'
import type { OutgoingAnswer } from './outgoing-answer.js'
import { rawAnswer } from './raw-answer.js'

/** So long is read and thrown away before a connection is closed: a reset would overtake the answer. */
const LINGER_MS = 500

/** Kept on the socket itself: a map would be asked for it at each request. */
const CONNECTION = Symbol('connection')

interface Marked {
  [CONNECTION]?: Connection
}

/** So many requests of a connection may wait for their answers. */
const MOST_PIPELINED = 100
/** So long a connection may wait for its next request after one that was refused, in milliseconds. */
export const REST_MS = 1000
/** The sender has not proved who it is, or does not know the way: it may be anybody. */
const REFUSALS = new Set([401, 403, 404, 405])

export const isRefusal = (status: number): boolean => REFUSALS.has(status)

/** A connection of the listener: what is known of it beyond its socket. */
export class Connection {
  /** The one that requests come on: with TLS, the socket above. */
  socket: Socket
  /** The answer to the last request that came on it. */
  last: OutgoingAnswer | undefined = undefined
  /** True once nothing that comes on it is read as a request any more. */
  closing = false
  /** True if its last request was taken: its sender is none who may be anybody. */
  known = false
  /** Called when the last request under way has ended. */
  onIdle: (() => void) | undefined = undefined
  /** Its place among those that wait for a request. */
  waiting: WaitingConnections | undefined = undefined
  previous: Connection | undefined = undefined
  next: Connection | undefined = undefined
  #underWay = 0

  private constructor(readonly below: Socket) {
    this.socket = below
  }

  static of(socket: Socket): Connection {
    const marked = socket as Marked
    marked[CONNECTION] ??= new Connection(socket)
    return marked[CONNECTION]
  }

  /** From now on requests come on `socket`, which speaks TLS over the one below it. */
  secure(socket: Socket): void {
    this.socket = socket
    ;(socket as Marked)[CONNECTION] = this
  }

  /** The next request on it. False if it is not to be read any more: then it is not answered either. */
  take(answer: OutgoingAnswer): boolean {
    if (this.closing) return false
    if (this.#underWay >= MOST_PIPELINED) {
      // It cannot be stopped in the middle of a segment, which may have thousands of requests, each with an object or two.
      this.closing = true
      this.socket.destroy()
      return false
    }
    this.last = answer
    return true
  }

  /** A request is whole, or refused: it will be answered. */
  begin(): void {
    if (this.#underWay++ === 0) this.waiting?.remove(this)
  }

  /** It has been answered with this status; without one if its sender had gone. */
  end(status: number | undefined): void {
    this.#underWay--
    if (status !== undefined && isRefusal(status)) this.#rest()
    else if (status !== undefined && status < 300) this.known = true
    if (this.#underWay === 0) this.onIdle?.()
  }

  #rest(): void {
    this.known = false
    // Behind node:http, which gives each connection the same time then, and takes it back when the next request comes.
    this.last?.once('finish', () => {
      if (this.#underWay === 0) this.socket.setTimeout(REST_MS)
    })
  }

  /**
   * Takes no more requests, and closes it once all that came have been answered; then `error` is the last answer. Resolves
   * with its status, or with undefined if nothing was written: the sender has gone, or the answer before it closed the connection.
   */
  async close(error: HeadgateError | undefined): Promise<number | undefined> {
    const { socket } = this
    this.closing = true
    socket.on('error', () => {})
    if (!(await this.answered()) || !socket.writable) return undefined
    const answer = error === undefined ? undefined : rawAnswer(error)
    socket.end(answer?.text ?? '')
    const lingering = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(lingering))
    socket.once('end', () => socket.destroySoon())
    socket.resume()
    return answer?.status
  }

  /** Resolves with true when the answer to the last request has been written, or with false if the connection is closed before that. */
  answered(): Promise<boolean> {
    const { last, socket } = this
    if (last === undefined || last.writableFinished) return Promise.resolve(true)
    // What else comes meanwhile would only be thrown away.
    socket.pause()
    return new Promise((resolve) => {
      const gone = () => resolve(false)
      socket.once('close', gone)
      last.once('finish', () => {
        socket.off('close', gone)
        resolve(true)
      })
    })
  }
}
