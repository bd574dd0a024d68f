import type { BodyMemory } from '../contract/index.js'
import type { BodyReader } from './node-internals.js'

const EMPTY = Buffer.alloc(0)

/** One sum for all connections and pipelines of a listener. */
export class CountedMemory implements BodyMemory {
  readonly #max: number
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held
  }

  take(bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false
    this.#held += bytes
    return true
  }

  add(bytes: number): void {
    this.#held += bytes
  }

  release(bytes: number): void {
    this.#held -= bytes
  }
}

/** The possible ends of a body: exactly one of the five is called. */
export interface BodyEnd {
  /** All of it has arrived. Its bytes stay counted: the receiver releases them. */
  complete(body: Buffer): void
  /** As soon as it is longer than the limit; the rest is discarded. */
  tooLarge(): void
  /** As soon as there is no memory for more of it; the rest is discarded. */
  noMemory(): void
  /** As soon as it has arrived in too many small pieces; the rest is discarded. */
  smallPieces(): void
  /** The sender has closed the connection before the end, or was too slow. */
  aborted(): void
}

/** A piece costs about as much time as 4 KiB of JSON. So many of any size are accepted, and only larger ones after that. */
const MAX_SMALL_PIECES = 4096
/** Bytes: the mean size of a piece from there on. The smallest segment that TCP usually makes has 536. */
const SMALL_PIECE = 64
/** Bytes: the smallest buffer that pieces are copied to. */
const FIRST_BUFFER = 1024

/**
 * The body of a request, of at most `limit` bytes. They are counted as they arrive, not as Content-Length promises them. The
 * only piece of a body is passed on as it is. As soon as there are two, pieces are copied to a buffer that grows, and all of the
 * buffer is counted: a Buffer of a single byte takes some 400 bytes.
 */
export class RequestBody implements BodyReader {
  readonly #limit: number
  readonly #memory: BodyMemory
  readonly #end: BodyEnd
  #buffer: Buffer = EMPTY
  #size = 0
  #pieces = 0

  constructor(limit: number, memory: BodyMemory, end: BodyEnd) {
    this.#limit = limit
    this.#memory = memory
    this.#end = end
  }

  piece(bytes: Buffer): boolean {
    const size = this.#size + bytes.length
    this.#pieces++
    if (size > this.#limit) return this.#refuse('tooLarge')
    if (this.#pieces > MAX_SMALL_PIECES && size < this.#pieces * SMALL_PIECE)
      return this.#refuse('smallPieces')
    if (this.#pieces === 1) {
      if (!this.#memory.take(bytes.length)) return this.#refuse('noMemory')
      this.#buffer = bytes
    } else {
      if (size > this.#buffer.length && !this.#grow(size)) return this.#refuse('noMemory')
      bytes.copy(this.#buffer, this.#size)
    }
    this.#size = size
    return true
  }

  end(): void {
    const spare = this.#buffer.length - this.#size
    // The buffer lives as long as the body, its unused end included.
    const body = spare === 0 ? this.#buffer : resized(this.#buffer, this.#size, this.#size)
    this.#memory.release(spare)
    this.#end.complete(body)
  }

  aborted(): void {
    this.#memory.release(this.#buffer.length)
    this.#end.aborted()
  }

  /** Doubles the buffer, or makes it an eighth larger if there is no memory for more: never so little that copying takes long. */
  #grow(size: number): boolean {
    const { length } = this.#buffer
    for (const more of [Math.max(length, FIRST_BUFFER), length >> 3]) {
      const room = Math.min(this.#limit, Math.max(size, length + more))
      if (!this.#memory.take(room - length)) continue
      this.#buffer = resized(this.#buffer, this.#size, room)
      return true
    }
    return false
  }

  #refuse(reason: 'tooLarge' | 'noMemory' | 'smallPieces'): false {
    this.#memory.release(this.#buffer.length)
    this.#buffer = EMPTY
    this.#end[reason]()
    return false
  }
}

/** A buffer of its own of `length` bytes that begins with the first `used` of another. */
function resized(buffer: Buffer, used: number, length: number): Buffer {
  const other = Buffer.allocUnsafeSlow(length)
  buffer.copy(other, 0, 0, used)
  return other
}
