import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCommand as command } from '../../src/commands/run.js'
import { takeoverProblem } from '../../src/process/takeover.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const shipped = readFileSync('plugins.config.json', 'utf8')

/** Started with a signal that asks it to stop already. */
async function run(change: (text: string) => string, more: { readonly [name: string]: string } = {}) {
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
    ...more,
  }
  return runCommand(command, {}, { cwd, env, signal: AbortSignal.abort() })
}

const broken = (text: string) =>
  text.replace('"partition": 2', '"partition": -2').replace('"path"', '"pth": "/x", "path"')
const logged = (out: string): { [name: string]: unknown }[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The ledger has a line of the same code, and may be first. */
const isUnreachable = ({ code, msg }: { readonly [name: string]: unknown }): boolean =>
  code === 'HG_KAFKA_UNAVAILABLE' && String(msg).startsWith('Kafka is not reachable at 127.0.0.1:1: ')

test('a config with problems is not started, and a program that reads the log gets a line for each', async () => {
  const { code, out, err } = await run(broken)
  expect([code, err]).toEqual([78, ''])
  expect(logged(out)).toMatchObject(
    [
      {
        level: 'error',
        event: 'config-problem',
        code: 'HG_CONFIG_UNKNOWN_KEY',
        line: 8,
        suggestion: /path/,
      },
      {
        level: 'error',
        event: 'config-problem',
        code: 'HG_CONFIG_VALUE',
        msg: /plugins.config.json:\d+:\d+: /,
      },
      { level: 'error', event: 'failed', problems: 2 },
    ].map((line) =>
      Object.fromEntries(
        Object.entries(line).map(([name, value]) => [
          name,
          value instanceof RegExp ? expect.stringMatching(value) : value,
        ]),
      ),
    ),
  )
})

test('a setting that is wrong, or named almost like one, is a line of the log as well', async () => {
  const { code, out, err } = await run((text) => text, { HEADGATE_PORT: '80a', HEADGATE_LOGLEVEL: 'debug' })
  expect([code, err]).toEqual([2, ''])
  expect(logged(out)).toMatchObject([
    { level: 'warn', event: 'setting-warning', msg: expect.stringContaining('HEADGATE_LOG_LEVEL') },
    { level: 'error', event: 'setting-problem', msg: expect.stringContaining('HEADGATE_PORT') },
    { level: 'fatal', event: 'failed' },
  ])
})

test.skipIf(takeoverProblem(process.versions.node) === undefined)(
  'a takeover is refused by a Node.js that cannot share a port, with another way',
  async () => {
    const { code, out } = await run((text) => text, { HEADGATE_TAKEOVER: 'true' })
    expect(code).toBe(2)
    expect(logged(out)).toMatchObject([
      { level: 'error', event: 'setting-problem', msg: expect.stringMatching(/22\.12.*socket activation/) },
      { level: 'fatal', event: 'failed' },
    ])
  },
)

test('a config with problems is not started, and a person is shown each with its place in the file', async () => {
  const { code, out, err } = await run((text) => text.replace('"partition": 2', '"partition": -2'), {
    HEADGATE_LOG_FORMAT: 'pretty',
  })
  expect([code, out]).toEqual([78, ''])
  expect(err).toContain('"partition": -2 }\n     |  ')
  expect(err).toMatch(/\n\n1 error\.\nHeadgate does not start\.\n$/)
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

test('with short secrets, the log and the readiness still name stages, ids, addresses and users, and no secret', async () => {
  const stop = new AbortController()
  const cwd = temporaryDirectory({
    'plugins.config.json': shipped.replace(
      '"properties": {}',
      `"properties": {
        "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
        "sasl.username": "\${env:KAFKA_USER}", "sasl.password": "\${env:KAFKA_PASSWORD}"
      }`,
    ),
    'schemas/cxone-data-action.schema.json': readFileSync('schemas/cxone-data-action.schema.json', 'utf8'),
  })
  const env = {
    ...environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' }),
    WEBHOOK_TOKEN: 'hook',
    KAFKA_USER: 'headgate',
    KAFKA_PASSWORD: 'kafka',
    HEADGATE_PORT: '0',
    HEADGATE_ADMIN_PORT: '0',
    HEADGATE_STATE_DIR: `${cwd}/state`,
    HEADGATE_LOG_FORMAT: 'json',
    HEADGATE_SHUTDOWN_TIMEOUT: '1ms',
  }
  let shown = ''
  let seen = ''
  const events = new EventEmitter()
  const unreachable = once(events, 'unreachable')
  const listening = once(events, 'listening')
  const look = (text: string): void => {
    seen += text
    const lines = logged(seen)
    const started = lines.find(({ event }) => event === 'listening')
    if (started !== undefined) events.emit('listening', started)
    if (lines.some(isUnreachable)) events.emit('unreachable')
  }
  const ran = runCommand(command, {}, { cwd, env, signal: stop.signal, out: look })
  try {
    const [{ intake, admin }] = await listening
    await unreachable
    const posted = await fetch(new URL('/webhook/cxone/data-actions', intake), {
      method: 'POST',
      headers: { authorization: 'Bearer hook', 'content-type': 'application/json' },
      body: '{"dataActionId":"hook-1"}',
    })
    shown = (await posted.text()) + (await (await fetch(new URL('/ready', admin))).text())
  } finally {
    stop.abort()
    await ran
  }
  expect(logged(seen).some(isUnreachable)).toBe(true)
  expect(logged(seen)).toContainEqual(
    expect.objectContaining({ pipeline: 'cxone-data-actions', id: 'hook-1' }),
  )
  expect(shown).toContain('"hook-1"')
  expect(shown).toContain('cxone-data-actions: Kafka is not reachable at 127.0.0.1:1')
  expect(seen + shown).toContain('secret-short')
  expect(seen + shown).not.toMatch(/(?<![\w.:/@-])(?:hook|kafka)(?![\w:/@-])/)
})
