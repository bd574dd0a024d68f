import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Larger than any config, schema or scenario file that people write. */
const LARGEST = 16 * 1024 * 1024

/**
 * The text of a regular file: UTF-8, without its byte order mark, at most `largest` bytes. What is wrong is thrown as the file
 * system's own error, or as one whose message continues "cannot be read: ". A path in a config can lead anywhere: opening a FIFO
 * would wait for a writer, and /dev/zero has no end.
 */
export function readText(path: string, largest = LARGEST): string {
  const bytes = readRegular(path, largest)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('it is not UTF-8 text')
  }
}

/** The same for bytes. */
export function readRegular(path: string, largest = LARGEST): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (stat.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
    if (!stat.isFile()) throw new Error('it is no regular file')
    if (stat.size > largest) throw tooLarge(largest)
    // The size that a file reports need not be right: files in /proc report none, and others grow.
    const chunks: Buffer[] = []
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(Math.max(stat.size - total, 0) + 4096)
      const read = readSync(descriptor, chunk)
      if (read === 0) return Buffer.concat(chunks)
      total += read
      if (total > largest) throw tooLarge(largest)
      chunks.push(chunk.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
}

const tooLarge = (largest: number): Error =>
  new Error(`it is too large; at most ${largest / 1024 / 1024} MiB are read`)
