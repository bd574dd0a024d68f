import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and those that it is in, as far as they are missing; throws the error of the system. That of Node.js with
 * `recursive` does not return (20.20, 22.23) where the system answers ENOENT for a folder whose parent exists, as in /proc.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(path)
    if (code === 'ENOENT' && parent !== path && !isFolder(parent)) {
      makeFolder(parent)
      // Not `mkdirSync`: another process may have made it by now.
      makeFolder(path)
    } else if (!isFolder(path)) throw error
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
