import type { IncomingMessage } from 'node:http'

const EMPTY = Buffer.alloc(0)

/**
 * Reads the body of a request: calls `whole` once it has all come, or `tooLarge` as soon as it is longer than `limit`
 * bytes; what comes after that is thrown away. Calls neither when the sender leaves before the end.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  whole: (body: Buffer) => void,
  tooLarge: () => void,
): void {
  let chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    if (size > limit) return
    size += chunk.length
    if (size <= limit) {
      chunks.push(chunk)
    } else {
      chunks = []
      tooLarge()
    }
  })
  request.on('end', () => {
    if (size <= limit) whole(chunks.length > 1 ? Buffer.concat(chunks, size) : (chunks[0] ?? EMPTY))
  })
}
