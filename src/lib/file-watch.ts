import { hash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, readlink, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { SerialQueue } from './async.js'

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

/** Milliseconds. An editor writes a file in several steps, and each step causes a notification. */
const SETTLE_TIME = 150
const CHECK_EVERY = 5000
const MOST_LINKS = 10

/**
 * Watches the folders of the files: editors replace a file by a new one, and Kubernetes replaces the link `..data` in the same
 * folder; a watch on the file itself would go on watching the deleted file. Compares the contents: a new modification time alone
 * is not a change.
 */
export class FileWatch {
  readonly #options: WatchOptions
  readonly #routine: NodeJS.Timeout
  readonly #checks = new SerialQueue()
  #watchers: FSWatcher[] = []
  #contents: string | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: WatchOptions) {
    this.#options = options
    this.#check(false)
    this.#routine = setInterval(() => this.#check(true), options.checkEvery ?? CHECK_EVERY).unref()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#routine)
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }

  #checkSoon(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#check(false), SETTLE_TIME)
  }

  #check(routine: boolean): void {
    const { paths, onChange, onRoutineCheck } = this.#options
    void this.#checks.run(async () => {
      const contents = await contentsOf(paths())
      if (this.#closed) return
      const previous = this.#contents
      this.#contents = contents
      if (contents !== previous) {
        await this.#watchFolders()
        // A change before the watches were in place has caused no notification.
        this.#checkSoon()
        onChange()
      } else if (routine) onRoutineCheck?.()
    })
  }

  async #watchFolders(): Promise<void> {
    const folders = new Set((await Promise.all(this.#options.paths().map(foldersOf))).flat())
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = this.#closed
      ? []
      : [...folders].flatMap((folder) => watchFolder(folder, () => this.#checkSoon()))
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
