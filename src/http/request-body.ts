import type { BodyMemory } from '../plugin.js'
import type { BodyReader } from './incoming-request.js'

const EMPTY = Buffer.alloc(0)

/** What may become of a body: one of the four is called. */
export interface BodyEnd {
  /** It has all come. Its bytes stay counted: whoever gets them releases them. */
  whole(body: Buffer): void
  /** As soon as it is longer than the limit; what comes after that is thrown away. */
  tooLarge(): void
  /** As soon as there is no memory for more of it; what comes after that is thrown away. */
  noMemory(): void
  /** The sender has left before the end, or was too slow. */
  gone(): void
}

/** The body of a request, of at most `limit` bytes. They are counted as they arrive: a promised length is none. */
export class RequestBody implements BodyReader {
  private readonly chunks: Buffer[] = []
  private size = 0

  constructor(
    private readonly limit: number,
    private readonly memory: BodyMemory,
    private readonly end: BodyEnd,
  ) {}

  piece(bytes: Buffer): boolean {
    if (this.size + bytes.length > this.limit) {
      this.memory.release(this.size)
      this.end.tooLarge()
      return false
    }
    if (!this.memory.take(bytes.length)) {
      this.memory.release(this.size)
      this.end.noMemory()
      return false
    }
    this.size += bytes.length
    this.chunks.push(bytes)
    return true
  }

  whole(): void {
    const { chunks, size } = this
    this.end.whole(chunks.length > 1 ? Buffer.concat(chunks, size) : (chunks[0] ?? EMPTY))
  }

  gone(): void {
    this.memory.release(this.size)
    this.end.gone()
  }
}
