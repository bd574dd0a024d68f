import { createHash, randomUUID } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
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
import type { RootDatabase } from 'lmdb'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { makeFolder } from '../lib/make-folder.js'
import { diskReason, startError } from './disk-error.js'
import { askToHandOver, type HandingOver, type HandOver, isAbsence, LockConnections } from './hand-over.js'
import { closeIndex, openIndex } from './index-file.js'

/** The state directory of a process, locked for as long as it is open. */
export interface StateDirectory {
  readonly database: RootDatabase
  close(): Promise<void>
}

/**
 * Opens or creates the state directory. It holds an index of the records in Kafka: a damaged index is put aside, and a new one
 * is filled from Kafka. Rejects with HG_STATE_UNUSABLE, HG_STATE_FULL, HG_STATE_LOCKED or HG_STATE_NEWER. With `handOver`,
 * other processes can ask for the directory.
 */
export async function openStateDirectory(
  path: string,
  log: Log,
  handOver?: HandOver,
): Promise<StateDirectory> {
  makeUsable(path)
  const unlock = await lockDirectory(path, handOver)
  const file = join(path, 'ledger.mdb')
  try {
    const database = await openIndex(file, log)
    return {
      database,
      async close() {
        await closeIndex(database, file)
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** True if another process has the state directory open. Creates it, as `openStateDirectory` does. */
export async function isStateInUse(path: string): Promise<boolean> {
  makeUsable(path)
  const directory = openShort(path)
  try {
    return await isHeld(directory.pathOf('lock'))
  } finally {
    directory.close()
  }
}

/**
 * Asks the process that has the state directory open to stop and to unlock it. Resolves with undefined if there is none;
 * rejects with HG_STATE_LOCKED if it refuses.
 */
export async function requestState(path: string): Promise<HandingOver | undefined> {
  const directory = openShort(path)
  try {
    return await askToHandOver(directory.pathOf('lock'), path)
  } finally {
    directory.close()
  }
}

function makeUsable(path: string): void {
  try {
    makeFolder(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const message = `The state directory ${path} cannot be used: ${diskReason(error, path)}.`
    throw new HeadgateError('HG_STATE_UNUSABLE', message)
  }
}

/**
 * Locks a directory for this process by two sockets, which the system closes when the process ends, however it ends. One is in
 * the directory, so that processes in containers that share the directory find it too. The other, on Linux, has no file: it
 * is there even if the first was deleted. Rejects with HG_STATE_LOCKED if another process has either. With `handOver`,
 * another process can ask for the directory: only by the socket in the directory, which other users cannot write to.
 */
async function lockDirectory(path: string, handOver?: HandOver): Promise<() => Promise<void>> {
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

const locked = (path: string): HeadgateError =>
  new HeadgateError('HG_STATE_LOCKED', `Another process uses the state directory ${path}.`)

/**
 * A socket in Linux's abstract namespace. Its name is that of the directory itself, whatever the path. It contains the time of
 * creation, so that users without access to the directory cannot guess the name and take it.
 */
async function listenNameless(path: string): Promise<Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return undefined
  const { dev, ino, birthtimeNs } = statSync(path, { bigint: true })
  const name = createHash('sha256').update(`${dev} ${ino} ${birthtimeNs}`).digest('hex')
  try {
    return await listen(`\0headgate-${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return 'taken'
    // A sandbox may not allow it; the lock by file works all the same.
    return undefined
  }
}

/** The socket gets its name by a link, which succeeds for one process only. A socket without a listener is removed. */
async function lockByFile(path: string, connections: LockConnections): Promise<() => Promise<void>> {
  const directory = openShort(path)
  const file = join(path, 'lock')
  const own = `lock.${randomUUID()}`
  let server: Server | undefined
  try {
    server = await listen(directory.pathOf(own), (connection) => connections.take(connection))
    while (!isLinked(join(path, own), file)) {
      if (await isHeld(directory.pathOf('lock'))) throw locked(path)
      const former = `lock.${randomUUID()}`
      if (!isMoved(file, join(path, former))) continue
      // In the meantime, another process can have put its own socket there.
      const isOther = await isHeld(directory.pathOf(former))
      if (isOther) isLinked(join(path, former), file)
      rmSync(join(path, former), { force: true, recursive: true })
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

/** Short paths for the files of a directory: the path of a socket has 107 bytes, and is cut off without an error. */
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

/** Any error but a refusal means that a process has it: a suspended process does not accept, until its queue is full (EAGAIN). */
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

/** Errors of file systems without hard links. A start at the same moment can get in between there. */
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
