import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join, relative } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { HeadgateError } from '../../errors.js'
import type { Log } from '../../plugin.js'
import { isWhole } from './lmdb-file.js'

/** The version of what is kept. A newer one is refused, for it may mean what we do not know; an older one is made anew. */
const FORMAT = 3

/** The state directory of a process, locked for as long as it is open. */
export interface StateDirectory {
  readonly database: RootDatabase
  close(): Promise<void>
}

/**
 * Opens the state directory, or makes it. What it holds is an index of what is in Kafka: an index that is damaged is put
 * aside and made anew from there. Rejects with HG_STATE_UNUSABLE, HG_STATE_LOCKED or HG_STATE_NEWER.
 */
export async function openStateDirectory(path: string, log: Log): Promise<StateDirectory> {
  makeUsable(path)
  const unlock = await lock(path)
  try {
    const database = await openDatabase(join(path, 'ledger.mdb'), log)
    return {
      database,
      async close() {
        await database.close()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

function makeUsable(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HeadgateError('HG_STATE_UNUSABLE', `The state directory ${path} cannot be written (${code}).`)
  }
}

/**
 * A socket in the directory: it is given up by the system when its process ends, however it ends, and it also tells
 * processes apart that have the same id in containers of their own. The name is relative, for sockets have short names.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  const socket = relative(process.cwd(), join(path, 'lock'))
  if (await answers(socket)) {
    throw new HeadgateError('HG_STATE_LOCKED', `Another Headgate uses the state directory ${path}.`)
  }
  rmSync(socket, { force: true })
  const server: Server = createServer((connection) => connection.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })

async function openDatabase(file: string, log: Log): Promise<RootDatabase> {
  if (existsSync(file) && !isWhole(file)) putAside(file, log, 'it is damaged')
  const database = tryOpen(file, log)
  const format = database.get('format') as number | undefined
  if (format === FORMAT) return database
  if (format === undefined) {
    database.putSync('format', FORMAT)
    return database
  }
  await database.close()
  if (format > FORMAT) {
    const message = `The state in ${file} was written by a newer Headgate (format ${format}; this one knows ${FORMAT}).`
    throw new HeadgateError('HG_STATE_NEWER', message)
  }
  putAside(
    file,
    log,
    `it was written by an older Headgate (format ${format}; this one writes ${FORMAT})`,
    'older',
  )
  return openDatabase(file, log)
}

// Nothing waits for the disk: what a crash of the machine takes is read back from Kafka.
const OPTIONS = {
  noSync: true,
  overlappingSync: false,
  // Its batches have a promise that nobody can get at, and that ends the process where the disk is full (lmdb, write.js).
  eventTurnBatching: false,
  maxDbs: 1024,
  encoding: 'msgpack',
} as const

function tryOpen(file: string, log: Log): RootDatabase {
  try {
    return open(file, OPTIONS)
  } catch (error) {
    putAside(file, log, error instanceof Error ? error.message : String(error))
    return open(file, OPTIONS)
  }
}

function putAside(file: string, log: Log, reason: string, as = 'damaged'): void {
  const aside = `${file}.${as}`
  renameSync(file, aside)
  rmSync(`${file}-lock`, { force: true })
  log.warn({ file, aside, reason }, 'the index cannot be used and was put aside; it is made anew from Kafka')
}
