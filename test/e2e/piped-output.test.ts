import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../helpers/context.js'

const run = promisify(execFile)

test('output that does not fit into a pipe gets there whole', async () => {
  const cwd = temporaryDirectory()
  const scenarios = Array.from({ length: 1000 }, (_, n) => ({
    name: `${n} ${'x'.repeat(200)}`,
    text: 'x',
    expect: { code: 'HG_INTAKE_NOT_JSON' },
  }))
  writeFileSync(join(cwd, 'many.json'), JSON.stringify({ scenarios }))
  const args = ['dist/cli.js', 'test', join(cwd, 'many.json'), '--json']
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 24 })
  expect(JSON.parse(stdout).results).toHaveLength(1000)
})
