import { type IncomingMessage, ServerResponse } from 'node:http'

/**
 * An answer whose head and body go to the socket as one text. `end` hands over two pieces, the second of them empty, which the
 * socket holds back, gathers and writes as a list (node:http, _http_outgoing.js).
 */
export class OutgoingAnswer<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** True once it is certain that it will be given: its request is whole, or refused. */
  owed = false
  /** False where the request or the status allows none. */
  declare _hasBody: boolean
  /** True if node:http closes the connection behind it, whatever is still coming on it. */
  declare _last: boolean
  /** Milliseconds, as the header Keep-Alive tells them. */
  declare _keepAliveTimeout: number
  /** What waits for answers before this one on its connection. */
  declare outputData: readonly unknown[]
  /** Writes the head before it. */
  declare _send: (text: string, encoding: 'latin1' | 'utf8', sent: () => void) => boolean
  declare _finish: () => void

  /** False if the sender has gone, or an answer before it has closed the connection. */
  get canBeSent(): boolean {
    return !this.destroyed && this.req.socket.writable
  }

  /** Instead of `end`, once the head has been written. `bytes`: the length of the body, as the head has it. */
  endWith(body: string, bytes: number): void {
    if (!this._hasBody) {
      this.end()
      return
    }
    // What `end` does, in its order: node:http goes on to the next request when it hears `finish`.
    // A text that has a byte for each character is ASCII, which needs no encoding.
    this._send(body, bytes === body.length ? 'latin1' : 'utf8', () => this.emit('finish'))
    this.finished = true
    if (this.socket !== null && this.outputData.length === 0) this._finish()
  }
}
