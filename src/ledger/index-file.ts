import {
  accessSync,
  constants,
  fsyncSync,
  lstatSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { open, type RootDatabase } from 'lmdb'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { checksum } from './checked-tables.js'
import { isOfTheSystem, requireSpace, startError } from './disk-error.js'
import { Damage, type Snapshot, snapshotsIn, withFile } from './lmdb-pages.js'
import { checkTables, copyInto, onlyRead } from './stored-rows.js'

/** The version of the format. A newer index is refused, because it may have a meaning that we do not know; an older one is replaced. */
const FORMAT = 4
const FORMAT_KEY = 'format'

const OPTIONS = {
  // Nothing waits for the disk: a recovery reads from Kafka the changes that a crash of the machine loses.
  noSync: true,
  overlappingSync: false,
  // Its batches have an inaccessible promise, whose rejection ends the process if the disk is full (lmdb, write.js).
  eventTurnBatching: false,
  maxDbs: 1024,
  encoding: 'msgpack',
} as const

/**
 * Opens or creates the index. LMDB maps the file into memory and trusts it: damage would end the process by a signal, at once
 * or hours later. So LMDB only gets a file that is byte for byte as it left it (the seal proves it), or one that is written
 * here, of rows that our own code has read and checked. A file that does not pass is put aside. Call it only while the
 * directory is locked. Throws HG_STATE_UNUSABLE, HG_STATE_FULL or HG_STATE_NEWER.
 */
export async function openIndex(file: string, log: Log): Promise<RootDatabase> {
  try {
    const isThere = requireRegularFile(file)
    requireSpace(file)
    if (isThere && !takeSeal(file)) await restore(file, log)
    const database = openDatabase(file)
    try {
      const format = formatIn(database.getBinary(FORMAT_KEY))
      if (format === undefined) database.putSync(FORMAT_KEY, formatMark(FORMAT))
      else if (format !== FORMAT) throw new OtherFormat(format)
      return database
    } catch (error) {
      await database.close()
      if (!(error instanceof OtherFormat || error instanceof Damage)) throw error
      putAsideOrThrow(error, file, log)
      return openIndex(file, log)
    }
  } catch (error) {
    throw startError(error, file)
  }
}

/** Bytes. A smaller file is checked at every start, in some 100 ms, however its last process ended. */
const WORTH_A_SEAL = 8 << 20

/** Closes the index and seals its file, so that the next start can check it quickly. */
export async function closeIndex(database: RootDatabase, file: string): Promise<void> {
  await database.close()
  try {
    if (statSync(file).size < WORTH_A_SEAL) return
    // Another program may have written into it while it was open.
    withFile(file, (descriptor) => {
      const [newest] = snapshotsIn(descriptor)
      checkTables(newest?.contents().tables ?? [], onlyRead)
    })
    writeFileSync(sealOf(file), fingerprint(file))
  } catch {
    // Without a seal the next start reads the file row by row, and reports any damage.
    rmSync(sealOf(file), { force: true })
  }
}

const sealOf = (file: string): string => `${file}.sealed`

/** Whether the file is byte for byte as it was sealed. Removes the seal. */
function takeSeal(file: string): boolean {
  let seal: string | undefined
  try {
    seal = readFileSync(sealOf(file), 'latin1')
  } catch {}
  rmSync(sealOf(file), { force: true, recursive: true })
  return seal !== undefined && seal === fingerprint(file)
}

function fingerprint(file: string): string {
  const block = Buffer.allocUnsafe(1 << 20)
  let size = 0
  let crc = 0
  withFile(file, (descriptor) => {
    for (let read = -1; read !== 0; size += read) {
      read = readSync(descriptor, block, 0, block.length, size)
      crc = crc32(block.subarray(0, read), crc)
    }
  })
  return `${size} bytes, CRC-32 ${crc}\n`
}

function requireRegularFile(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (!found.isFile()) {
    const kind = found.isDirectory()
      ? 'a directory'
      : found.isSymbolicLink()
        ? 'a symbolic link'
        : 'no regular file'
    const message = `${file} is ${kind}; a file was expected. Remove it: the index is filled again from Kafka.`
    throw new HeadgateError('HG_STATE_UNUSABLE', message)
  }
  accessSync(file, constants.R_OK | constants.W_OK)
  return found.size > 0
}

/** Replaces the file by one with the same rows, if they are of one transaction. Otherwise puts it aside. */
async function restore(file: string, log: Log): Promise<void> {
  const began = Date.now()
  const copy = `${file}.new`
  try {
    const rows = await copySnapshot(file, copy, log)
    // Otherwise a power loss soon after can leave an empty file under the new name.
    withFile(copy, fsyncSync)
    renameSync(copy, file)
    log.debug({ file, rows, ms: Date.now() - began }, 'all rows of the index were checked')
  } catch (error) {
    putAsideOrThrow(error, file, log)
  } finally {
    removeDatabase(copy)
  }
}

/** The newest snapshot whose rows match their checksums: after a power loss, pages of the last one can be missing. */
async function copySnapshot(from: string, to: string, log: Log): Promise<number> {
  let damage: Damage | undefined
  for (const number of [0, 1]) {
    removeDatabase(to)
    const target = openDatabase(to, TABLES_IN_COPY)
    try {
      return withFile(from, (descriptor) => {
        const snapshot = snapshotsIn(descriptor)[number]
        if (snapshot === undefined) throw damage
        const rows = copyContents(snapshot, target)
        if (damage !== undefined)
          log.warn(
            { file: from, found: damage.message },
            'the last change of the index is damaged and was rolled back',
          )
        return rows
      })
    } catch (error) {
      if (error instanceof OtherFormat || isOfTheSystem(error, from)) throw error
      // LMDB rejects some rows that damage can produce, for example one with an empty key.
      damage ??= error instanceof Damage ? error : new Damage(`its rows cannot be copied (${error})`)
    } finally {
      await target.close()
    }
  }
  throw damage
}

function copyContents(snapshot: Snapshot, target: RootDatabase): number {
  const { rows, tables } = snapshot.contents()
  const format = formatIn(rows.find(({ key }) => key.toString('latin1') === FORMAT_KEY)?.value)
  if (format !== undefined && format !== FORMAT) throw new OtherFormat(format)
  if (format === undefined && rows.length + tables.length > 0)
    throw new Damage('it was written by another program')
  target.putSync(FORMAT_KEY, formatMark(FORMAT))
  return checkTables(tables, copyInto(target))
}

class OtherFormat extends Error {
  readonly format: number

  constructor(format: number) {
    super(`format ${format}`)
    this.format = format
  }
}

/** It has a checksum of its own: damage must not look like a newer version, which would fail every start. */
export const formatMark = (format: number): string => {
  const mark = `headgate index ${format}`
  return `${mark} ${checksum(Buffer.from(mark)).toString(16)}`
}

/** The format, from its row in msgpack: up to version 3 it was a number of one byte. Throws Damage. */
function formatIn(row: Buffer | undefined): number | undefined {
  if (row === undefined) return undefined
  if (row.length === 1 && (row[0] as number) < FORMAT) return row[0]
  const mark = row.toString('latin1', 1)
  const format = Number(/^headgate index (\d+) /.exec(mark)?.[1])
  if (mark !== formatMark(format)) throw new Damage('it does not say that it is an index of Headgate')
  return format
}

/** Puts a damaged or older file aside; throws all other errors. */
function putAsideOrThrow(error: unknown, file: string, log: Log): void {
  if (error instanceof Damage) putAside(file, log, error.message, 'damaged')
  else if (error instanceof OtherFormat) {
    const versions = `format ${error.format}; this one has ${FORMAT}`
    if (error.format > FORMAT) {
      const message = `The index ${file} was written by a newer Headgate (${versions}).`
      throw new HeadgateError('HG_STATE_NEWER', message)
    }
    putAside(file, log, `it was written by an older Headgate (${versions})`, 'older')
  } else throw error
}

function putAside(file: string, log: Log, found: string, as: 'damaged' | 'older'): void {
  const aside = `${file}.${as}`
  rmSync(aside, { force: true, recursive: true })
  renameSync(file, aside)
  log.warn(
    { file, aside, found },
    'the index cannot be used and was put aside; a new one is filled from Kafka',
  )
}

/** If the disk is full, LMDB crashes by a signal when it maps the part of its lock file that has no block yet. */
const LOCK_FILE_BYTES = 16_384

/** A copy opens the tables of all pipelines that ever existed at the same time. */
const TABLES_IN_COPY = 8192

function openDatabase(file: string, maxDbs: number = OPTIONS.maxDbs): RootDatabase {
  // The directory is locked by this process: the content of LMDB's lock file is of a process that has ended.
  rmSync(`${file}-lock`, { force: true, recursive: true })
  writeFileSync(`${file}-lock`, Buffer.alloc(LOCK_FILE_BYTES))
  return open(file, { ...OPTIONS, maxDbs })
}

const removeDatabase = (file: string): void => {
  for (const each of [file, `${file}-lock`]) rmSync(each, { force: true, recursive: true })
}
