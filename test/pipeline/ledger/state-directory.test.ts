import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStateDirectory } from '../../../src/pipeline/ledger/state-directory.js'
import { temporaryDirectory, testContext } from '../../helpers/context.js'
import { eventOf } from '../../helpers/inline-plugins.js'
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

test('a directory that is missing is made', async () => {
  const path = join(temporaryDirectory(), 'deep', 'state')
  const state = await open(path)
  onTestFinished(() => state.close())
  expect(existsSync(join(path, 'ledger.mdb'))).toBe(true)
})

test('a path that cannot be a directory is refused with the reason', async () => {
  const path = join(temporaryDirectory({ file: '' }), 'file')
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_UNUSABLE' })
})

test('a directory that another process uses is refused, and can be had once that has ended', async () => {
  const path = temporaryDirectory()
  const state = await open(path)
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  await state.close()
  await (await open(path)).close()
})

test('a lock that was left by a process that was killed does not count', async () => {
  const path = temporaryDirectory({ lock: '' })
  await (await open(path)).close()
})

test('a state from a newer version is refused and left as it is', async () => {
  const path = temporaryDirectory()
  const state = await open(path)
  state.database.putSync('format', 99)
  await state.close()
  const before = readFileSync(join(path, 'ledger.mdb'))
  await expect(open(path)).rejects.toMatchObject({ code: 'HG_STATE_NEWER' })
  expect(readFileSync(join(path, 'ledger.mdb')).equals(before)).toBe(true)
})

test('a state from an older version is put aside and made anew from the log', async () => {
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
])('an index that is %s is put aside and made anew from the log', async (_how, damage) => {
  const { directory, file, kafka } = await written()
  damage(file)
  const after = await openLedger({ directory, kafka, entries: 5000, maxPending: 5000 })
  expect(after.lines[0]?.message).toContain('put aside')
  expect(existsSync(`${file}.damaged`)).toBe(true)
  expect(await after.take(eventOf('7'))).toMatchObject({ kind: 'duplicate' })
})

test('a directory that is deleted while it is used costs nothing until the end, and is made anew after it', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  rmSync(before.directory, { recursive: true })
  expect(await before.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  expect(await before.take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(await after.take(eventOf('b'))).toMatchObject({ kind: 'duplicate' })
})
