import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { open as lmdb } from 'lmdb'
import { expect, onTestFinished, test } from 'vitest'
import { CheckedTables } from '../../src/ledger/checked-tables.js'
import { formatMark } from '../../src/ledger/index-file.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger } from './setup.js'

const open = (path: string) => openStateDirectory(path, testContext().log)

async function written(): Promise<{
  directory: string
  file: string
  kafka: Awaited<ReturnType<typeof openLedger>>['kafka']
}> {
  const { directory, kafka, take, stop } = await openLedger({ entries: 5000, maxPending: 5000 })
  for (let n = 0; n < 500; n++) await take(eventOf(String(n)))
  await stop()
  return { directory, kafka, file: join(directory, 'ledger.mdb') }
}

test('a missing directory is created', async () => {
  const path = join(temporaryDirectory(), 'deep', 'state')
  const state = await open(path)
  onTestFinished(() => state.close())
  expect(existsSync(join(path, 'ledger.mdb'))).toBe(true)
})

test('a path that cannot be a directory is refused with the reason', async () => {
  const path = join(temporaryDirectory({ file: '' }), 'file')
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_UNUSABLE' })
  if (process.platform === 'linux')
    await expect(open('/proc/missing/state')).rejects.toMatchObject({ code: 'HG_STATE_UNUSABLE' })
})

test('a directory that another process uses is refused, and can be opened once that has ended', async () => {
  const path = temporaryDirectory()
  const state = await open(path)
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  await state.close()
  await (await open(path)).close()
})

test('the lock of a process that was killed does not count', async () => {
  const path = temporaryDirectory({ lock: '' })
  await (await open(path)).close()
})

test('a state from a newer version is refused and left as it is', async () => {
  const path = temporaryDirectory()
  const state = await open(path)
  state.database.putSync('format', formatMark(99))
  await state.close()
  const before = readFileSync(join(path, 'ledger.mdb'))
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_NEWER' })
  expect(readFileSync(join(path, 'ledger.mdb')).equals(before)).toBe(true)
})

test('a state from an older version is put aside and restored from the log', async () => {
  const { directory, file, kafka } = await written()
  const state = await open(directory)
  state.database.putSync('format', 1)
  await state.close()
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(after.lines[0]?.message).toContain('put aside')
  expect(existsSync(`${file}.older`)).toBe(true)
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
})

test.each<[string, (file: string) => void]>([
  ['cut short', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
  ['cut in its first page', (file) => truncateSync(file, 100)],
  ['something else', (file) => writeFileSync(file, 'x'.repeat(100_000))],
])('an index that is %s is put aside and restored from the log', async (_how, damage) => {
  const { directory, file, kafka } = await written()
  damage(file)
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(after.lines[0]?.message).toContain('put aside')
  expect(existsSync(`${file}.damaged`)).toBe(true)
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
})

test('a directory that is deleted while it is used does no harm until the end, and is created again after it', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  rmSync(before.directory, { recursive: true })
  expect(await before.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  expect(await before.take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(await after.take(eventOf('b'))).toMatchObject({ kind: 'duplicate' })
})

test('a path may have any length, and directories with the same beginning are not mixed up', async () => {
  const long = join(temporaryDirectory(), 'a'.repeat(120))
  const [one, other] = [join(long, 'one'), join(long, 'other')]
  await (await open(one)).close()
  const state = await open(one)
  onTestFinished(() => state.close())
  await (await open(other)).close()
  await expect(open(one)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(readdirSync(one)).toContain('lock')
})

test('a directory stays locked if its lock is deleted', async () => {
  const path = temporaryDirectory()
  const state = await open(path)
  onTestFinished(() => state.close())
  for (const name of readdirSync(path)) if (name !== 'ledger.mdb') rmSync(join(path, name))
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
})

/** A process that holds the socket of another network namespace, as one in another container does. */
async function holderOf(path: string): Promise<ChildProcess> {
  const script = `require('net').createServer().listen(${JSON.stringify(join(path, 'lock'))}, 1, () => console.log('listening'))`
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout as Readable, 'data')
  return holder
}

test('a directory stays locked while its process is stopped and takes no more connections', async () => {
  const path = temporaryDirectory()
  const holder = await holderOf(path)
  holder.kill('SIGSTOP')
  for (let n = 0; n < 5; n++) await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(readdirSync(path)).toEqual(['lock'])
})

test('of processes that find a dead lock at the same moment, one gets the directory', async () => {
  const path = temporaryDirectory()
  const holder = await holderOf(path)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => open(path)))
  const opened = results.filter((result) => result.status === 'fulfilled')
  expect(opened).toHaveLength(1)
  for (const { value } of opened) await value.close()
  await (await open(path)).close()
})

test.each<[string, (file: string) => void]>([
  ['a directory', (file) => mkdirSync(file)],
  ['a symbolic link', (file) => symlinkSync('/dev/zero', file)],
])('an index that is %s is refused and left as it is', async (kind, make) => {
  const path = temporaryDirectory()
  make(join(path, 'ledger.mdb'))
  await expect(open(path)).rejects.toMatchObject({
    code: 'HG_STATE_UNUSABLE',
    message: expect.stringContaining(`is ${kind}; a file was expected`),
  })
  expect(existsSync(join(path, 'ledger.mdb'))).toBe(true)
})

test('an index that is an empty file is filled from the log', async () => {
  const { directory, kafka } = await written()
  truncateSync(join(directory, 'ledger.mdb'), 0)
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
})

test('a file of another program that uses LMDB is put aside', async () => {
  const { directory, kafka, file } = await written()
  rmSync(file)
  const foreign = lmdb({ path: file, noSync: true })
  await foreign.openDB({ name: 'theirs' }).put('key', 'value')
  await foreign.close()
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(after.lines[0]).toMatchObject({
    message: expect.stringContaining('put aside'),
    fields: { found: 'it was written by another program' },
  })
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
})

test('the index of a process that was killed is checked and kept, and nothing is read from the log again', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const pending = before.due()
  if (pending) before.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: '404' })
  await before.take(eventOf('b'))
  await expect.poll(() => before.ledger.partitions()[0]?.known).toBe(2)
  const after = await openLedger({ directory: await before.crash(), kafka: before.kafka })
  expect(after.lines.map(({ message }) => message)).toEqual(['all rows of the index were checked'])
  expect(after.ledger.backlog()).toMatchObject({ count: 1, failed: 1 })
  expect(await after.take(eventOf('b'))).toMatchObject({ kind: 'duplicate' })
})

/** A part of a row of it. */
const ROW = Buffer.alloc(100, 42)

/** An index that is large enough for a seal, closed in order. */
async function large(): Promise<{ path: string; file: string; log: ReturnType<typeof testContext> }> {
  const path = temporaryDirectory()
  const state = await open(path)
  const tables = new CheckedTables(state.database, 'orders')
  const rows = tables.table<Buffer, number>('rows', 'binary')
  await tables.write(() => {
    for (let row = 0; row < 2500; row++) rows.put(row, Buffer.alloc(4000, row))
  })
  // Both of the transactions that the file has are of these rows.
  for (const row of [1, 2]) await tables.write(() => rows.put(row, Buffer.alloc(1)))
  await state.close()
  return { path, file: join(path, 'ledger.mdb'), log: testContext() }
}

test('a large index that was closed in order is opened without a check, once', async () => {
  const { path, file, log } = await large()
  const { ino } = statSync(file)
  const state = await openStateDirectory(path, log.log)
  const [sealed, inode] = [existsSync(`${file}.sealed`), statSync(file).ino]
  await state.close()
  expect({ sealed, inode, lines: log.lines }).toEqual({ sealed: false, inode: ino, lines: [] })
  expect(existsSync(`${file}.sealed`)).toBe(true)
})

test('a large index that was changed after its close is put aside', async () => {
  const { path, file, log } = await large()
  const bytes = readFileSync(file)
  bytes.writeUInt8(7, bytes.indexOf(ROW))
  writeFileSync(file, bytes)
  await (await openStateDirectory(path, log.log)).close()
  expect(log.lines).toMatchObject([
    { fields: { found: 'the rows of table "orders/rows" do not match their checksum' } },
  ])
})

test('a large index that was damaged while it was open is not trusted after an orderly stop', async () => {
  const { path, file, log } = await large()
  const state = await open(path)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, 'damage', readFileSync(file).indexOf(ROW))
  closeSync(descriptor)
  await state.close()
  await (await openStateDirectory(path, log.log)).close()
  expect(log.lines).toMatchObject([{ message: expect.stringContaining('put aside') }])
})

test('the files of a process that is killed during its start do no harm', async () => {
  const { directory, kafka, file } = await written()
  for (const name of ['.new', '.new-lock', '.space', '.sealed', '-lock'])
    writeFileSync(`${file}${name}`, 'half of it')
  writeFileSync(join(directory, 'lock.0'), '')
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(after.lines.map(({ level }) => level)).toEqual(['debug'])
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
  expect(readdirSync(directory).toSorted()).toEqual(['ledger.mdb', 'ledger.mdb-lock', 'lock', 'lock.0'])
})

test('an index that was replaced by an earlier copy of itself gets the later events from the log', async () => {
  const { directory, kafka, file } = await written()
  const earlier = readFileSync(file)
  const between = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  await between.take(eventOf('later'))
  writeFileSync(`${file}.copy`, earlier)
  renameSync(`${file}.copy`, file)
  expect(await between.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
  await between.stop()
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(await after.take(eventOf('later'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 500 } })
})
