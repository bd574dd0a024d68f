import type { Socket } from 'node:net'
import type { HeadgateError } from '../errors.js'
import type { OutgoingAnswer } from './outgoing-answer.js'
import { rawAnswer } from './raw-answer.js'

/** So long is read and thrown away before a connection is closed: a reset would overtake the answer. */
const LINGER_MS = 500

/** Kept on the socket itself: a map would be asked for it at each request. */
const CONNECTION = Symbol('connection')

interface Marked {
  [CONNECTION]?: Connection
}

/** A connection of the listener: what is known of it beyond its socket. */
export class Connection {
  /** The answer to the last request that came on it. */
  last: OutgoingAnswer | undefined = undefined
  /** True once nothing that comes on it is read as a request any more. */
  closing = false

  private constructor(readonly socket: Socket) {}

  static of(socket: Socket): Connection {
    const marked = socket as Marked
    marked[CONNECTION] ??= new Connection(socket)
    return marked[CONNECTION]
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
