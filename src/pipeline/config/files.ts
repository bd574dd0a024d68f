import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { HeadgateError } from '../../errors.js'
import type { Files } from '../../plugin.js'
import { reason } from './file-reasons.js'

/** The texts of files by their absolute paths, as they were when somebody read them. */
export type Contents = ReadonlyMap<string, string>

/**
 * Files relative to a folder; `seen` gets the text of each, for they are part of what the config means. With `contents`
 * nothing else is there.
 */
export function filesIn(folder: string, seen: Map<string, string> = new Map(), contents?: Contents): Files {
  const textOf = (path: string): string =>
    contents === undefined ? readFileSync(path, 'utf8') : readOf(contents, path)
  const namesIn = (path: string): string[] =>
    contents === undefined
      ? readdirSync(path)
      : [...contents.keys()].filter((file) => dirname(file) === path).map((file) => basename(file))
  const unreadable = (path: string, error: unknown) =>
    new HeadgateError('HG_CONFIG_UNREADABLE', `${path} cannot be read: ${reason(error)}.`)
  return {
    resolve: (path) => resolve(folder, path),
    read(path) {
      const full = resolve(folder, path)
      try {
        const text = textOf(full)
        seen.set(full, text)
        return text
      } catch (error) {
        throw unreadable(`The file ${path}`, error)
      }
    },
    list(path) {
      try {
        return namesIn(resolve(folder, path)).sort()
      } catch (error) {
        throw unreadable(`The folder ${path}`, error)
      }
    },
  }
}

/** Throws as the file system does. */
function readOf(contents: Contents, path: string): string {
  const text = contents.get(path)
  if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
  return text
}
