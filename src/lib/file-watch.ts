import { hash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, readlink, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export interface WatchOptions {
  /** Absolute paths of the files; called again before each check. */
  paths(): readonly string[]
  /** Called when the text of a file has changed, or a file has appeared or disappeared; and once at the beginning. */
  onChange(): void
  /** Called after each routine check that has found no change. */
  onRoutineCheck?(): void
  /** Milliseconds between two routine checks, which find changes that cause no notification. */
  readonly checkEvery?: number
}

export interface FileWatch {
  close(): void
}

/** Milliseconds. An editor writes a file in several steps, and each step causes a notification. */
const SETTLE_TIME = 150
const CHECK_EVERY = 5000
const MOST_LINKS = 10

/**
 * Watches the folders of the files: editors replace a file by a new one, and Kubernetes replaces the link `..data` in the same
 * folder; a watch on the file itself would go on watching the deleted file. Compares the contents: a new modification time alone
 * is not a change.
 */
export function watchFiles({
  paths,
  onChange,
  onRoutineCheck,
  checkEvery = CHECK_EVERY,
}: WatchOptions): FileWatch {
  let watchers: FSWatcher[] = []
  let latest: string | undefined
  let timer: NodeJS.Timeout | undefined
  let checks = Promise.resolve()
  let closed = false

  const soon = (): void => {
    if (closed) return
    clearTimeout(timer)
    timer = setTimeout(() => check(false), SETTLE_TIME)
  }
  const check = (routine: boolean): void => {
    checks = checks.then(async () => {
      const now = await contentsOf(paths())
      if (closed) return
      const changed = latest !== undefined && now !== latest
      const first = latest === undefined
      latest = now
      if (first || changed) {
        await watchFolders()
        // A change before the watches were in place has caused no notification.
        soon()
        onChange()
      } else if (routine) onRoutineCheck?.()
    })
  }
  const watchFolders = async (): Promise<void> => {
    const folders = new Set((await Promise.all(paths().map(foldersOf))).flat())
    for (const watcher of watchers) watcher.close()
    watchers = closed ? [] : [...folders].flatMap((folder) => watchFolder(folder, soon))
  }
  check(false)
  const routine = setInterval(() => check(true), checkEvery).unref()
  return {
    close() {
      closed = true
      clearInterval(routine)
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Empty if the folder does not exist or cannot be watched (some network file systems): then routine checks find changes. */
function watchFolder(folder: string, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent)
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

/** A path in a config can lead anywhere: reading a FIFO would block a thread of the pool for ever. */
async function readWatched(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new Error('it is not a regular file')
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
