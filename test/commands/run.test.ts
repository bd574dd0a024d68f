import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCommand as command } from '../../src/commands/run.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const shipped = readFileSync('plugins.config.json', 'utf8')

/** Started with a signal that asks it to stop already. */
async function run(change: (text: string) => string) {
  const cwd = temporaryDirectory({
    'plugins.config.json': change(shipped),
    'schemas/cxone-data-action.schema.json': readFileSync('schemas/cxone-data-action.schema.json', 'utf8'),
  })
  const env = {
    ...environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' }),
    HEADGATE_PORT: '0',
    HEADGATE_ADMIN_PORT: '0',
    HEADGATE_STATE_DIR: `${cwd}/state`,
    HEADGATE_LOG_FORMAT: 'json',
    HEADGATE_SHUTDOWN_TIMEOUT: '1ms',
  }
  return runCommand(command, {}, { cwd, env, signal: AbortSignal.abort() })
}

test('a config with problems is not started, and each is shown with its place in the file', async () => {
  const { code, out, err } = await run((text) => text.replace('"partition": 2', '"partition": -2'))
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain('"partition": -2 }\n     |  ')
  expect(err).toMatch(/\n\n1 error\.\nNothing was started\.\n$/)
})

test('warnings about the config are logged once, by their names, and stop nothing', async () => {
  const { out } = await run((text) =>
    text
      .replace('cxone.data.actions.eu', 'cxone.data.actions.high')
      .replace('"partition": 1', '"partition": 0')
      .replace(/\$\{env:CXONE_CLIENT_SECRET\}/, 'hush-hush'),
  )
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ event }) => event === 'config-warnings')).toMatchObject([
    { count: 2, names: ['partition-shared', 'secret-in-clear'] },
  ])
  expect(lines.map(({ event }) => event)).toContain('listening')
  expect(out).not.toContain('hush-hush')
})
