import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTopics } from '../../src/sandbox/reader.js'
import { TOPICS, WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { environment } from '../helpers/processes/deployment.js'
import { type Installed, installPacked } from '../helpers/processes/packed.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const run = promisify(execFile)

describe('the example plugin, beside a Headgate that was installed from its tarball', () => {
  let installed: Installed
  beforeAll(async () => {
    installed = await installPacked()
    cpSync('examples/plugins/mask', join(installed.folder, 'plugins/mask'), { recursive: true })
    cpSync('examples/plugins/mask', join(installed.folder, 'node_modules/headgate-mask'), { recursive: true })
  })
  afterAll(() => installed.remove())

  /** The shipped config with one transform more. */
  function configWith(plugin: string): string {
    const stage = `"transforms": [\n        { "plugin": "${plugin}", "config": { "values": ["/payload/email"] } },`
    const path = join(installed.folder, 'masked.json')
    writeFileSync(path, readFileSync('plugins.config.json', 'utf8').replace('"transforms": [', stage))
    return path
  }

  test('passes its own tests, those of the conformance suite among them', async () => {
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], {
      cwd: join(installed.folder, 'plugins/mask'),
    })
    expect(stdout).toMatch(/^ok \d+ - returns a verdict for any event/m)
    expect(stdout).toMatch(/^# fail 0$/m)
  })

  test('is type-checked against what Headgate declares', async () => {
    const compiler = resolve('node_modules/typescript/bin/tsc')
    const flags = '--noEmit --strict --allowJs --checkJs --skipLibCheck --target es2023 --module nodenext'
    const types = ['--types', 'node', '--typeRoots', resolve('node_modules/@types')]
    const { stdout } = await run(
      process.execPath,
      [compiler, ...flags.split(' '), ...types, 'mask.mjs', 'mask.test.mjs'],
      { cwd: join(installed.folder, 'plugins/mask') },
    )
    expect(stdout).toBe('')
  })

  test('is validated by its path, and shown by its package', async () => {
    const env = { ...process.env, ...environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' }) }
    const headgate = async (...args: string[]) =>
      (await run(process.execPath, [installed.program, ...args], { cwd: installed.folder, env })).stdout
    const validated = await headgate('validate', configWith('./plugins/mask/mask.mjs'))
    expect(validated).toMatch(/^ok: .*\n.*\n.*\n {4}transform {4}mask$/m)
    expect(await headgate('plugins', 'headgate-mask')).toMatch(/^mask \(transform\)$/m)
  })

  test.each([0, 2])('masks what it should on its way to Kafka, with %i workers', async (workers) => {
    const { headgate, bootstrap } = await startSandboxed(installed.program, configWith('headgate-mask'), {
      HEADGATE_WORKERS: String(workers),
    })
    const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{"dataActionId":"a","eventType":"E","timestamp":"2025-06-01T08:00:00Z","payload":{"email":"ada@example.com", "total":1.0}}',
    })
    expect(await response.json()).toMatchObject({ outcome: 'delivered' })
    const records = await readTopics(bootstrap, TOPICS)
    expect(records.map(({ value }) => value.toString())).toEqual(['{"email":"***", "total":1.0}'])
  })
})
