import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs'
import { basename, dirname, resolve, sep } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import type { Files } from '../contract/index.js'

/** The texts of files by their absolute paths, as they were when they were read. */
export type Contents = ReadonlyMap<string, string>

export interface FilesOptions {
  /** Collects the text of each file that is read: the revision of a config depends on them. */
  readonly collected?: Map<string, string>
  /** Reads these instead of the files on disk; there are no others. */
  readonly contents?: Contents | undefined
  /** With `contents`: folders, and files that are not among them, are read from the disk. */
  readonly othersOnDisk?: boolean | undefined
  /** Reads only files below the folder, also through links: a stranger names the files. */
  readonly within?: boolean | undefined
}

/** Files relative to a folder. */
export function filesIn(
  folder: string,
  { collected = new Map(), contents, othersOnDisk = contents === undefined, within }: FilesOptions = {},
): Files {
  const refuseOutside = (path: string): void => {
    if (within !== true) return
    const inside = `${realpathSync(folder)}${sep}`
    if (!realpathSync(path).startsWith(inside)) throw new Error(`it is not below ${folder}`)
  }
  const textOf = (path: string): string =>
    contents?.get(path) ?? (othersOnDisk ? readText(path) : missing(path))
  const namesIn = (path: string): string[] =>
    othersOnDisk
      ? readdirSync(path)
      : [...(contents?.keys() ?? [])].filter((file) => dirname(file) === path).map((file) => basename(file))
  const unreadable = (path: string, error: unknown) =>
    new HeadgateError('HG_CONFIG_UNREADABLE', `${path} cannot be read: ${reason(error)}.`)
  return {
    resolve: (path) => resolve(folder, path),
    read(path) {
      const full = resolve(folder, path)
      try {
        refuseOutside(full)
        const text = textOf(full)
        collected.set(full, text)
        return text
      } catch (error) {
        throw unreadable(`The file ${path}`, error)
      }
    },
    list(path) {
      try {
        refuseOutside(resolve(folder, path))
        return namesIn(resolve(folder, path)).sort()
      } catch (error) {
        throw unreadable(`The folder ${path}`, error)
      }
    },
  }
}

/** Throws as the file system does. */
function missing(path: string): never {
  throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
}

/** Whether the files on disk still have these texts. */
export function areOnDisk(contents: Contents): boolean {
  try {
    return [...contents].every(([path, text]) => readText(path) === text)
  } catch {
    return false
  }
}

/** Larger than any config, schema or scenario file that people write. */
const LARGEST = 16 * 1024 * 1024

/**
 * The text of a regular file: UTF-8, without its byte order mark, at most `largest` bytes. Throws the error of the file system,
 * or one with a message that continues "cannot be read: ". A path in a config can lead anywhere: opening a FIFO would wait for a
 * writer, and /dev/zero has no end.
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
    if (!stat.isFile()) throw new Error('it is not a regular file')
    if (stat.size > largest) throw tooLarge(largest)
    // A file can be larger than the size that it reports: files in /proc report none, and others grow.
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
  new Error(`it is too large: the limit is ${largest / 1024 / 1024} MiB`)

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
}

/** Why a file could not be read, for people. */
export const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return REASONS[code ?? ''] ?? message
}
