import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { HeadgateError } from '../../errors.js'
import type { Files } from '../../plugin.js'
import { reason } from './file-reasons.js'

/** Files relative to a folder; `seen` gets the text of each, for they are part of what the config means. */
export function filesIn(folder: string, seen: Map<string, string> = new Map()): Files {
  const unreadable = (path: string, error: unknown) =>
    new HeadgateError('HG_CONFIG_UNREADABLE', `${path} cannot be read: ${reason(error)}.`)
  return {
    resolve: (path) => resolve(folder, path),
    read(path) {
      const full = resolve(folder, path)
      try {
        const text = readFileSync(full, 'utf8')
        seen.set(full, text)
        return text
      } catch (error) {
        throw unreadable(`The file ${path}`, error)
      }
    },
    list(path) {
      try {
        return readdirSync(resolve(folder, path)).sort()
      } catch (error) {
        throw unreadable(`The folder ${path}`, error)
      }
    },
  }
}
