import type { BodyMemory } from '../contract/index.js'
import type { BodyReader } from './node-internals.js'

const EMPTY = Buffer.alloc(0)

/** What may become of a body: one of the five is called. */
export interface BodyEnd {
  /** It has all come. Its bytes stay counted: whoever gets them releases them. */
  whole(body: Buffer): void
  /** As soon as it is longer than the limit; what comes after that is thrown away. */
  tooLarge(): void
  /** As soon as there is no memory for more of it; what comes after that is thrown away. */
  noMemory(): void
  /** As soon as it has come in too many small pieces; what comes after that is thrown away. */
  smallPieces(): void
  /** The sender has left before the end, or was too slow. */
  gone(): void
}

/** A piece costs about as much time as 4 KiB of JSON. So many are taken of any size, and beyond that only larger ones. */
const MOST_SMALL_PIECES = 4096
/** Bytes: the mean size of a piece from there on. The smallest segment that TCP usually makes has 536. */
const SMALL_PIECE = 64
/** Bytes: the smallest buffer that pieces are copied to. */
const FIRST_BUFFER = 1024

/**
 * The body of a request, of at most `limit` bytes. They are counted as they arrive: a promised length is none. The only
 * piece of a body is handed on as it came. As soon as there are two, pieces are copied to a buffer that grows, and all of the
 * buffer is counted: a Buffer of a single byte takes some 400 bytes.
 */
export class RequestBody implements BodyReader {
  #buffer: Buffer = EMPTY
  #size = 0
  #pieces = 0

  constructor(
    private readonly limit: number,
    private readonly memory: BodyMemory,
    private readonly end: BodyEnd,
  ) {}

  piece(bytes: Buffer): boolean {
    const size = this.#size + bytes.length
    this.#pieces++
    if (size > this.limit) return this.#refuse('tooLarge')
    if (this.#pieces > MOST_SMALL_PIECES && size < this.#pieces * SMALL_PIECE)
      return this.#refuse('smallPieces')
    if (this.#pieces === 1) {
      if (!this.memory.take(bytes.length)) return this.#refuse('noMemory')
      this.#buffer = bytes
    } else {
      if (size > this.#buffer.length && !this.#grow(size)) return this.#refuse('noMemory')
      bytes.copy(this.#buffer, this.#size)
    }
    this.#size = size
    return true
  }

  whole(): void {
    const spare = this.#buffer.length - this.#size
    // The buffer lives as long as the body, with all that it has behind it.
    const body = spare === 0 ? this.#buffer : resized(this.#buffer, this.#size, this.#size)
    this.memory.release(spare)
    this.end.whole(body)
  }

  gone(): void {
    this.memory.release(this.#buffer.length)
    this.end.gone()
  }

  /** Doubles the buffer, or makes it an eighth larger where there is no memory for more: never so little that copying takes long. */
  #grow(size: number): boolean {
    const { length } = this.#buffer
    for (const more of [Math.max(length, FIRST_BUFFER), length >> 3]) {
      const room = Math.min(this.limit, Math.max(size, length + more))
      if (!this.memory.take(room - length)) continue
      this.#buffer = resized(this.#buffer, this.#size, room)
      return true
    }
    return false
  }

  #refuse(how: 'tooLarge' | 'noMemory' | 'smallPieces'): false {
    this.memory.release(this.#buffer.length)
    this.#buffer = EMPTY
    this.end[how]()
    return false
  }
}

/** A buffer of its own of `length` bytes that begins with the first `used` of another. */
function resized(buffer: Buffer, used: number, length: number): Buffer {
  const other = Buffer.allocUnsafeSlow(length)
  buffer.copy(other, 0, 0, used)
  return other
}
