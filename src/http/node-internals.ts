import { IncomingMessage } from 'node:http'

/** Takes the body of one request as it comes. */
export interface BodyReader {
  /** The next piece; false where nothing more is wanted of the body: the rest of it is thrown away. */
  piece(bytes: Buffer): boolean
  /** The last piece has come. */
  whole(): void
  /** The sender has left before that, or was too slow. */
  gone(): void
}

/**
 * A request whose body goes to its reader straight from the parser, which calls `push` for each piece and at the end
 * (node:http, _http_common.js). As a stream, it would put off its flow, its end, its destruction and its closing to a turn of
 * the queue each, for every event.
 */
export class IncomingRequest extends IncomingMessage {
  private reader: BodyReader | undefined = undefined
  private discards = false
  /** What node:http sets when it is read: otherwise it would throw the body away once the request is answered. */
  declare _consuming: boolean

  /** At once, before any of the body has come. From then on the request is no stream any more, unless the reader gives up. */
  readBody(reader: BodyReader): void {
    this.reader = reader
  }

  /** Its body will never be whole. */
  abandon(): void {
    const { reader } = this
    this.reader = undefined
    reader?.gone()
  }

  /** Throws away what is still to come of the body. It is closed at the end of it. */
  discard(): void {
    this.reader = undefined
    this.discards = true
    this.resume()
  }

  override push(bytes: Buffer | null): boolean {
    const { reader } = this
    // As a stream, it would keep all pieces of a segment until the next tick.
    if (reader === undefined) return this.discards && bytes !== null ? true : super.push(bytes)
    if (bytes === null) {
      this.reader = undefined
      this._consuming = true
      reader.whole()
    } else if (!reader.piece(bytes)) this.discard()
    return true
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.abandon()
    super._destroy(error, callback)
  }
}
