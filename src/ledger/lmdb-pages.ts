import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** The reason why a file is no intact index. */
export class Damage extends Error {}

/** A table in the file. */
export interface StoredTable {
  /** The bytes that lmdb wrote. */
  readonly name: Buffer
  /** Throws Damage. The buffers are valid until the next row. */
  rows(): Iterable<StoredRow>
}

export interface StoredRow {
  readonly key: Buffer
  readonly value: Buffer
}

/** One state of the database, that of a transaction. */
export interface Snapshot {
  /** Rows of the root, and the tables in it. Throws Damage. */
  contents(): { readonly rows: StoredRow[]; readonly tables: StoredTable[] }
}

/**
 * Layout of mdb.c in lmdb-js. A page begins with its number, transaction, padding (2 bytes), flags (2), and the begin and end
 * of the free space, counted from the end of this header: before it are the offsets of nodes, 2 bytes each. A meta
 * page has magic, version, address, size of the map, two trees, the last page and the transaction.
 */
const PAGE_HEADER = 24
const FLAGS_AT = 18
const LOWER_AT = 20
const [BRANCH, LEAF, OVERFLOW, META] = [0x01, 0x02, 0x04, 0x08]
const KIND = BRANCH | LEAF | OVERFLOW | META | 0x20 | 0x40

const MAGIC = 0xbeefc0de
const TREE_BYTES = 48
const FREE_TREE_AT = PAGE_HEADER + 24
const MAIN_TREE_AT = FREE_TREE_AT + TREE_BYTES
const LAST_PAGE_AT = MAIN_TREE_AT + TREE_BYTES
const TRANSACTION_AT = LAST_PAGE_AT + 8
const META_BYTES = TRANSACTION_AT + 8

/** In a tree: size of pages (in that of the free ones), flags, depth, counts of pages, count of rows, page of the root. */
const TREE_FLAGS_AT = 4
const TREE_ENTRIES_AT = 32
const TREE_ROOT_AT = 40
const NO_PAGE = 0xffff_ffff_ffff_ffffn
/** Tables with several values to a key, or with keys in another order. We have none of these. */
const TREE_FLAGS_OF_OTHERS = 0x7e

/** A node: size of the value or, in a branch, number of the page; flags; size of the key; key; value. */
const NODE_HEADER = 8
const NODE_BIG = 0x01
const NODE_TABLE = 0x02
const DEPTH_AT_MOST = 32

interface Tree {
  readonly flags: number
  readonly root: bigint
  readonly entries: bigint
}

/**
 * The snapshots in a file, the newest first: LMDB alternates between two. Whatever the file contains, this neither maps it
 * into memory nor follows a page twice. Throws Damage.
 */
export function snapshotsIn(descriptor: number): Snapshot[] {
  const { size } = fstatSync(descriptor)
  const first = readMeta(descriptor, 0)
  // The position of the second one depends on the size of the pages, which both contain.
  const sizes = first === undefined ? [4096, 16384, 65536, 8192] : [first.pageSize]
  const second = sizes.map((pageSize) => readMeta(descriptor, pageSize)).find((meta) => meta !== undefined)
  const metas = [first, second].filter((meta) => meta !== undefined)
  if (metas.length === 0) throw new Damage('it does not begin like an LMDB file')
  return metas
    .sort((a, b) => (a.transaction < b.transaction ? 1 : -1))
    .map((meta) => ({ contents: () => new PageReader(descriptor, size, meta).contents() }))
}

export function withFile<Result>(file: string, read: (descriptor: number) => Result): Result {
  const descriptor = openSync(file, 'r')
  try {
    return read(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

interface Meta {
  readonly pageSize: number
  readonly main: Tree
  readonly lastPage: bigint
  readonly transaction: bigint
}

function readMeta(descriptor: number, at: number): Meta | undefined {
  const page = Buffer.alloc(META_BYTES)
  if (readSync(descriptor, page, 0, META_BYTES, at) < META_BYTES) return undefined
  if (page.readUInt32LE(PAGE_HEADER) !== MAGIC || (page.readUInt16LE(FLAGS_AT) & META) === 0) return undefined
  const pageSize = page.readUInt32LE(FREE_TREE_AT)
  const lastPage = page.readBigUInt64LE(LAST_PAGE_AT)
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) return undefined
  const main = treeIn(page, MAIN_TREE_AT)
  return { pageSize, main, lastPage, transaction: page.readBigUInt64LE(TRANSACTION_AT) }
}

const treeIn = (bytes: Buffer, at: number): Tree => ({
  flags: bytes.readUInt16LE(at + TREE_FLAGS_AT),
  entries: bytes.readBigUInt64LE(at + TREE_ENTRIES_AT),
  root: bytes.readBigUInt64LE(at + TREE_ROOT_AT),
})

class PageReader {
  readonly #descriptor: number
  readonly #pageSize: number
  readonly #pages: number
  readonly #main: Tree
  readonly #seen: Uint8Array

  constructor(descriptor: number, size: number, { pageSize, main, lastPage }: Meta) {
    this.#descriptor = descriptor
    this.#pageSize = pageSize
    this.#pages = Math.min(Number(lastPage) + 1, Math.floor(size / pageSize))
    this.#main = main
    this.#seen = new Uint8Array(this.#pages)
  }

  contents(): ReturnType<Snapshot['contents']> {
    const rows: StoredRow[] = []
    const tables: StoredTable[] = []
    for (const { key, value, isTable } of this.#rowsOf(this.#main)) {
      const name = Buffer.from(key)
      if (!isTable) rows.push({ key: name, value: Buffer.from(value) })
      else {
        if (value.length !== TREE_BYTES) throw new Damage('a table has no root')
        const tree = treeIn(value, 0)
        tables.push({ name, rows: () => this.#rowsOf(tree) })
      }
    }
    return { rows, tables }
  }

  *#rowsOf({ root, entries, flags }: Tree): Generator<StoredRow & { isTable: boolean }> {
    if ((flags & TREE_FLAGS_OF_OTHERS) !== 0)
      throw new Damage('it has a table of another kind than those of Headgate')
    let found = 0n
    if (root !== NO_PAGE) {
      for (const row of this.#below(root, 1)) {
        found++
        yield row
      }
    }
    if (found !== entries) throw new Damage(`a table has ${found} rows, and should have ${entries}`)
  }

  *#below(number: bigint, depth: number): Generator<StoredRow & { isTable: boolean }> {
    if (depth > DEPTH_AT_MOST) throw new Damage('a table is nested without an end')
    const page = this.#read(number, 1)
    const kind = page.readUInt16LE(FLAGS_AT) & KIND
    if (kind !== BRANCH && kind !== LEAF) throw new Damage(`page ${number} is none of a table`)
    const nodes = page.readUInt16LE(LOWER_AT) >>> 1
    if (nodes === 0 || PAGE_HEADER + nodes * 2 > page.length)
      throw new Damage(`page ${number} has ${nodes} rows`)
    for (let node = 0; node < nodes; node++) {
      const at = PAGE_HEADER + page.readUInt16LE(PAGE_HEADER + node * 2)
      if (at + NODE_HEADER > page.length) throw new Damage(`page ${number} ends in a row`)
      if (kind === LEAF) yield this.#row(page, at, number)
      else {
        const low = page.readUInt32LE(at)
        yield* this.#below(BigInt(low) | (BigInt(page.readUInt16LE(at + 4)) << 32n), depth + 1)
      }
    }
  }

  #row(page: Buffer, at: number, number: bigint): StoredRow & { isTable: boolean } {
    const bytes = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const keyEnd = at + NODE_HEADER + page.readUInt16LE(at + 6)
    const isBig = (flags & NODE_BIG) !== 0
    const isTable = (flags & NODE_TABLE) !== 0
    const end = keyEnd + (isBig ? PAGE_HEADER : bytes)
    if (end > page.length || flags > NODE_TABLE) throw new Damage(`page ${number} ends in a row`)
    const key = page.subarray(at + NODE_HEADER, keyEnd)
    if (!isBig) return { key, value: page.subarray(keyEnd, end), isTable }
    const count = Math.ceil((PAGE_HEADER + bytes) / this.#pageSize)
    const big = this.#read(page.readBigUInt64LE(keyEnd), count)
    if ((big.readUInt16LE(FLAGS_AT) & KIND) !== OVERFLOW)
      throw new Damage(`page ${number} has a row without a value`)
    return { key, value: big.subarray(PAGE_HEADER, PAGE_HEADER + bytes), isTable }
  }

  #read(number: bigint, count: number): Buffer {
    const first = Number(number)
    if (first < 2 || first + count > this.#pages) throw new Damage(`there is no page ${number}`)
    for (let page = first; page < first + count; page++) {
      if (this.#seen[page] === 1) throw new Damage(`page ${page} is used twice`)
      this.#seen[page] = 1
    }
    const bytes = Buffer.allocUnsafe(count * this.#pageSize)
    if (readSync(this.#descriptor, bytes, 0, bytes.length, first * this.#pageSize) < bytes.length)
      throw new Damage(`page ${number} is cut off`)
    if (bytes.readBigUInt64LE(0) !== number) throw new Damage(`page ${number} is another page`)
    return bytes
  }
}
