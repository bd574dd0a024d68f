import { hash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, readlink, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export interface WatchOptions {
  /** Absolute paths of the files; asked again each time. */
  paths(): readonly string[]
  /** One of them says something else than before, is gone or has come. Called once at the beginning, too. */
  onChange(): void
  /** Each time that the files are looked at without a reason. */
  onLook?(): void
  /** Milliseconds between two such looks: what no notification tells, they find. */
  readonly lookEvery?: number
}

export interface FileWatch {
  close(): void
}

/** Milliseconds. An editor writes a file in several steps, and each of them is told. */
const SETTLED = 150
const LOOK_EVERY = 5000
const MOST_LINKS = 10

/**
 * Watches files by the folders they are in: editors put a new file in place of the old one, and Kubernetes exchanges the
 * link `..data` beside it; a watch on the file itself would go on watching what is gone. What counts is what the files
 * say, not that they were touched.
 */
export function watchFiles({ paths, onChange, onLook, lookEvery = LOOK_EVERY }: WatchOptions): FileWatch {
  let watchers: FSWatcher[] = []
  let known: string | undefined
  let timer: NodeJS.Timeout | undefined
  let looking = Promise.resolve()
  let closed = false

  const soon = (): void => {
    if (closed) return
    clearTimeout(timer)
    timer = setTimeout(() => look(false), SETTLED)
  }
  const look = (routine: boolean): void => {
    looking = looking.then(async () => {
      const now = await contentsOf(paths())
      if (closed) return
      const changed = known !== undefined && now !== known
      const first = known === undefined
      known = now
      if (first || changed) {
        await watchFolders()
        // What changed before they were watched was not told.
        soon()
        onChange()
      } else if (routine) onLook?.()
    })
  }
  const watchFolders = async (): Promise<void> => {
    const folders = new Set((await Promise.all(paths().map(foldersOf))).flat())
    for (const watcher of watchers) watcher.close()
    watchers = closed ? [] : [...folders].flatMap((folder) => watchFolder(folder, soon))
  }
  look(false)
  const routine = setInterval(() => look(true), lookEvery).unref()
  return {
    close() {
      closed = true
      clearInterval(routine)
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Nothing where there is no such folder, or no watch to be had (some network file systems): looks find what changes. */
function watchFolder(folder: string, told: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, told)
    watcher.on('error', () => watcher.close())
    return [watcher]
  } catch {
    return []
  }
}

/** The folder of a file, and of each file that it is a link to. */
async function foldersOf(path: string): Promise<string[]> {
  const folders: string[] = []
  let at = path
  for (let links = 0; links < MOST_LINKS; links++) {
    folders.push(dirname(at))
    const target = await readlink(at).catch(() => undefined)
    if (target === undefined) break
    at = resolve(dirname(at), target)
  }
  return folders
}

/** What a path in a config names can be anything: reading a FIFO would hold a thread of the pool for ever. */
async function readWatched(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new Error('it is no regular file')
  return readFile(path)
}

async function contentsOf(paths: readonly string[]): Promise<string> {
  const digests = paths.map((path) =>
    readWatched(path).then(
      (bytes) => hash('sha256', bytes, 'hex'),
      () => 'none',
    ),
  )
  return `${paths.join('\0')} ${(await Promise.all(digests)).join(' ')}`
}
