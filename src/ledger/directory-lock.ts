import { createHash, randomUUID } from 'node:crypto'
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import { startError } from './disk-error.js'
import { askToHandOver, type HandingOver, type HandOver, isAbsence, LockConnections } from './hand-over.js'

/**
 * Locks a directory for this process, by two sockets that the system closes when the process ends, however it ends. The one
 * is in the directory: processes in containers that share it find it too. The other, on Linux, has no file: it is
 * there even if the first was deleted. Rejects with HG_STATE_LOCKED if another process has either. With `handOver`, another
 * process can ask for the directory: by the socket in the directory only, which other users cannot write to.
 */
export async function lockDirectory(path: string, handOver?: HandOver): Promise<() => Promise<void>> {
  const nameless = await listenNameless(path)
  if (nameless === 'taken') throw locked(path)
  try {
    const unlock = await lockByFile(path, new LockConnections(handOver))
    return async () => {
      await unlock()
      await close(nameless)
    }
  } catch (error) {
    await close(nameless)
    throw startError(error, path)
  }
}

/** Whether a process listens at the socket in the directory. */
export async function isLocked(path: string): Promise<boolean> {
  const directory = openShort(path)
  try {
    return await isHeld(directory.pathOf('lock'))
  } finally {
    directory.close()
  }
}

/**
 * Asks the process that has locked a directory to stop and to unlock it. Resolves with undefined if there is none; rejects
 * with HG_STATE_LOCKED if it does not agree.
 */
export async function requestDirectory(path: string): Promise<HandingOver | undefined> {
  const directory = openShort(path)
  try {
    return await askToHandOver(directory.pathOf('lock'), path)
  } finally {
    directory.close()
  }
}

const locked = (path: string): HeadgateError =>
  new HeadgateError('HG_STATE_LOCKED', `Another process uses the state directory ${path}.`)

/**
 * A socket in Linux's abstract namespace. Its name is of the directory itself, whatever the path; the time at which it was
 * made is in it, so that the name cannot be guessed, and taken, by users who may not look at the directory.
 */
async function listenNameless(path: string): Promise<Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return undefined
  const { dev, ino, birthtimeNs } = statSync(path, { bigint: true })
  const name = createHash('sha256').update(`${dev} ${ino} ${birthtimeNs}`).digest('hex')
  try {
    return await listen(`\0headgate-${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return 'taken'
    // A sandbox may not allow it; the file is there all the same.
    return undefined
  }
}

/** The socket gets its name by a link, which succeeds for one process only. One that nobody listens on is taken away. */
async function lockByFile(path: string, connections: LockConnections): Promise<() => Promise<void>> {
  const directory = openShort(path)
  const file = join(path, 'lock')
  const own = `lock.${randomUUID()}`
  let server: Server | undefined
  try {
    server = await listen(directory.pathOf(own), (connection) => connections.take(connection))
    while (!isLinked(join(path, own), file)) {
      if (await isHeld(directory.pathOf('lock'))) throw locked(path)
      const old = `lock.${randomUUID()}`
      if (!isMoved(file, join(path, old))) continue
      // Between the question and now, another process can have put its own there.
      const isOther = await isHeld(directory.pathOf(old))
      if (isOther) isLinked(join(path, old), file)
      rmSync(join(path, old), { force: true, recursive: true })
      if (isOther) throw locked(path)
    }
    const { ino } = lstatSync(file)
    const listening = server
    return async () => {
      if (lstatSync(file, { throwIfNoEntry: false })?.ino === ino) rmSync(file, { force: true })
      const closed = close(listening)
      connections.close()
      await closed
      directory.close()
    }
  } catch (error) {
    await close(server)
    directory.close()
    throw error
  } finally {
    rmSync(join(path, own), { force: true })
  }
}

/** Names in a directory by a path that is short: that of a socket has 107 bytes, and is cut off without a word. */
function openShort(path: string): { pathOf(name: string): string; close(): void } {
  if (process.platform === 'linux') {
    const descriptor = openSync(path, 'r')
    return {
      pathOf: (name) => `/proc/self/fd/${descriptor}/${name}`,
      close: () => closeSync(descriptor),
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'hg-'))
  symlinkSync(path, join(folder, 'd'))
  return {
    pathOf: (name) => join(folder, 'd', name),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Anything but a refusal is somebody: a process that was stopped does not accept, until its queue is full (EAGAIN). */
const isHeld = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', (error) => resolve(!isAbsence(error)))
  })

function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === undefined || !WITHOUT_LINKS.includes(code)) throw error
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return false
    renameSync(from, to)
    return true
  }
}

/** What file systems without hard links answer. A start at the same moment can get in between there. */
const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

function isMoved(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function listen(
  socket: string,
  take: (connection: Socket) => void = (connection) => void connection.destroy(),
): Promise<Server> {
  const server = createServer(take)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => {
      server.unref()
      resolve(server)
    })
  })
}

const close = (server: Server | undefined): Promise<void> =>
  new Promise((resolve) => (server === undefined ? resolve() : server.close(() => resolve())))
