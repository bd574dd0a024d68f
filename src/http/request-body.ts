import type { IncomingMessage } from 'node:http'
import type { BodyMemory } from '../plugin.js'

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

/** Reads the body of a request, of at most `limit` bytes. They are counted as they arrive: a promised length is none. */
export function readBody(request: IncomingMessage, limit: number, memory: BodyMemory, end: BodyEnd): void {
  let chunks: Buffer[] = []
  let size = 0
  let state: 'coming' | 'whole' | 'given up' = 'coming'
  const giveUp = (): void => {
    state = 'given up'
    chunks = []
    memory.release(size)
  }
  request.on('data', (chunk: Buffer) => {
    if (state !== 'coming') return
    if (size + chunk.length > limit) {
      giveUp()
      end.tooLarge()
    } else if (!memory.take(chunk.length)) {
      giveUp()
      end.noMemory()
    } else {
      size += chunk.length
      chunks.push(chunk)
    }
  })
  request.on('end', () => {
    if (state !== 'coming') return
    state = 'whole'
    end.whole(chunks.length > 1 ? Buffer.concat(chunks, size) : (chunks[0] ?? EMPTY))
  })
  // Comes in every case, and before the end where the sender leaves or is too slow.
  request.on('close', () => {
    if (state !== 'coming') return
    giveUp()
    end.gone()
  })
}
