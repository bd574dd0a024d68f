import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { FileWatch } from '../../src/lib/file-watch.js'
import { temporaryDirectory } from '../helpers/context.js'
import { until } from '../helpers/until.js'

/** Watches, and waits until it does. */
async function watched(paths: readonly string[], lookEvery = 3_600_000) {
  const onChange = vi.fn()
  const onLook = vi.fn()
  const watch = new FileWatch({ paths: () => paths, onChange, onRoutineCheck: onLook, checkEvery: lookEvery })
  onTestFinished(() => watch.close())
  await until(() => onChange.mock.calls.length === 1)
  return { onChange, onLook, changes: () => onChange.mock.calls.length - 1, close: () => watch.close() }
}

test('a file that is written again is a change', async () => {
  const folder = temporaryDirectory({ 'a.json': '1' })
  const { changes } = await watched([join(folder, 'a.json')])
  writeFileSync(join(folder, 'a.json'), '2')
  await until(() => changes() === 1)
})

test('a file that is put in its place is a change, and so is the next one', async () => {
  const folder = temporaryDirectory({ 'a.json': '1' })
  const { changes } = await watched([join(folder, 'a.json')])
  for (const round of [1, 2]) {
    writeFileSync(join(folder, '.a.json.swp'), `new ${round}`)
    renameSync(join(folder, '.a.json.swp'), join(folder, 'a.json'))
    await until(() => changes() === round)
  }
})

test('Kubernetes exchanges the link to the folder with all files: each time is a change', async () => {
  const folder = temporaryDirectory({ '..2026_1/a.json': '1' })
  symlinkSync('..2026_1', join(folder, '..data'))
  symlinkSync('..data/a.json', join(folder, 'a.json'))
  const { changes } = await watched([join(folder, 'a.json')])
  for (const round of [2, 3]) {
    mkdirSync(join(folder, `..2026_${round}`))
    writeFileSync(join(folder, `..2026_${round}`, 'a.json'), `${round}`)
    symlinkSync(`..2026_${round}`, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    rmSync(join(folder, `..2026_${round - 1}`), { recursive: true })
    await until(() => changes() === round - 1)
  }
})

test('a link to a file elsewhere is followed', async () => {
  const elsewhere = temporaryDirectory({ 'real.json': '1' })
  const folder = temporaryDirectory()
  symlinkSync(join(elsewhere, 'real.json'), join(folder, 'a.json'))
  const { changes } = await watched([join(folder, 'a.json')])
  writeFileSync(join(elsewhere, 'real.json'), '2')
  await until(() => changes() === 1)
})

test('a touched file that says the same is no change; one that is gone, and one that is back, is', async () => {
  const folder = temporaryDirectory({ 'a.json': '1', 'b.json': '1' })
  const { changes } = await watched([join(folder, 'a.json'), join(folder, 'b.json')])
  utimesSync(join(folder, 'a.json'), new Date(0), new Date(0))
  rmSync(join(folder, 'b.json'))
  await until(() => changes() === 1)
  writeFileSync(join(folder, 'b.json'), '1')
  await until(() => changes() === 2)
})

test('what no notification tells is found by looking', async () => {
  const folder = temporaryDirectory({ 'a.json': '1' })
  const hidden = join(folder, 'later', 'a.json')
  const { changes, onLook } = await watched([hidden], 20)
  await until(() => onLook.mock.calls.length > 0)
  mkdirSync(join(folder, 'later'))
  writeFileSync(hidden, '1')
  await until(() => changes() === 1)
  expect(onLook).toHaveBeenCalled()
})
