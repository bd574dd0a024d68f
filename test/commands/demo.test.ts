import { expect, test } from 'vitest'
import type { Io } from '../../src/commands/command.js'
import { demoCommand } from '../../src/commands/demo.js'

async function run(options: { readonly [name: string]: unknown }) {
  const written = { out: '', err: '' }
  const { signal } = new AbortController()
  const io: Io = {
    out: (text) => {
      written.out += text
    },
    outBytes: () => {},
    err: (text) => {
      written.err += text
    },
    stdin: async () => Buffer.alloc(0),
    ask: async () => undefined,
    terminal: { in: false, out: false, err: false },
    env: {},
    cwd: '/',
    signal,
    onHangup: () => {},
    onWarning: () => {},
    onCrash: () => {},
    kill: signal,
  }
  return { code: await demoCommand.run({ arguments: [], options }, io), ...written }
}

test('numbers that cannot be are refused, all at once, and nothing is started', async () => {
  const { code, out, err } = await run({ events: '3', port: '65536', adminPort: 'http' })
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err.split('\n')).toEqual([
    '--events should be a whole number from 20 to 1000000; it is "3".',
    '--port should be a whole number from 0 to 65535; it is "65536".',
    '--admin-port should be a whole number from 0 to 65535; it is "http".',
    '',
  ])
})
