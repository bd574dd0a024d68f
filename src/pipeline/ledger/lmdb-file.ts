import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/**
 * Offsets in the meta pages of an LMDB file (mdb.c: a page header, of 24 bytes in the LMDB of lmdb-js, then MDB_meta: magic,
 * version, address, size of the map, two trees of 48 bytes that begin with the page size, last page). LMDB maps the
 * file into memory: one that is shorter than it says kills the process with SIGBUS, so it has to be found out before.
 */
const HEADER = 24
const MAGIC = 0xbeefc0de
const MAGIC_AT = HEADER
const PAGE_SIZE_AT = HEADER + 24
const LAST_PAGE_AT = HEADER + 24 + 2 * 48
const META_BYTES = LAST_PAGE_AT + 8

/** Whether a file is an LMDB database with as many pages as it says. An empty file is a database that was never used. */
export function isWhole(file: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return true
    const first = readMeta(descriptor, 0)
    if (first === undefined) return false
    const second = readMeta(descriptor, first.pageSize)
    if (second === undefined) return false
    return (Math.max(first.lastPage, second.lastPage) + 1) * first.pageSize <= size
  } finally {
    closeSync(descriptor)
  }
}

function readMeta(descriptor: number, at: number): { pageSize: number; lastPage: number } | undefined {
  const page = Buffer.alloc(META_BYTES)
  if (readSync(descriptor, page, 0, META_BYTES, at) < META_BYTES) return undefined
  if (page.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined
  return { pageSize: page.readUInt32LE(PAGE_SIZE_AT), lastPage: Number(page.readBigUInt64LE(LAST_PAGE_AT)) }
}
