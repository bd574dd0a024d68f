import { readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, resolve, sep } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import type { Files } from '../contract/index.js'
import { reason } from './file-reasons.js'
import { readText } from './read-text.js'

/** The texts of files by their absolute paths, as they were when somebody read them. */
export type Contents = ReadonlyMap<string, string>

export interface FilesOptions {
  /** Gets the text of each file that is read: they are part of what the config means. */
  readonly seen?: Map<string, string>
  /** Nothing else is there. */
  readonly contents?: Contents | undefined
  /** Only what is below the folder, links followed: a stranger names the files. */
  readonly within?: boolean | undefined
}

/** Files relative to a folder. */
export function filesIn(folder: string, { seen = new Map(), contents, within }: FilesOptions = {}): Files {
  const refuseOutside = (path: string): void => {
    if (within !== true) return
    const inside = `${realpathSync(folder)}${sep}`
    if (!realpathSync(path).startsWith(inside)) throw new Error(`it is not below ${folder}`)
  }
  const textOf = (path: string): string => (contents === undefined ? readText(path) : readOf(contents, path))
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
        refuseOutside(full)
        const text = textOf(full)
        seen.set(full, text)
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
function readOf(contents: Contents, path: string): string {
  const text = contents.get(path)
  if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
  return text
}
