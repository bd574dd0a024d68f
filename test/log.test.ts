import { expect, test } from 'vitest'
import { createLog } from '../src/log.js'

async function logged(options: object = {}) {
  const lines: string[] = []
  const created = await createLog({
    level: 'info',
    format: 'json',
    terminal: false,
    write: (line) => void lines.push(line),
    ...options,
  })
  return { ...created, lines }
}

test('a line is JSON with level, time, fields and message', async () => {
  const { log, lines } = await logged()
  log.child({ pipeline: 'orders' }).warn({ code: 'HG_X' }, 'something')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    pipeline: 'orders',
    code: 'HG_X',
    msg: 'something',
  })
})

test('on a terminal a line is readable', async () => {
  const { log, lines } = await logged({ format: 'pretty' })
  log.info({ intake: 'http://127.0.0.1:1' }, 'listening')
  expect(lines.join('')).toMatch(/INFO: listening \{"intake":"http:\/\/127.0.0.1:1"\}/)
})

test.each(['json', 'pretty'])(
  'every %s line passes through the redaction, fields and stacks included',
  async (format) => {
    const { log, redact, lines } = await logged({ format })
    redact((line) => line.replaceAll('token-1', '${env:TOKEN}'))
    log.error(
      { err: new Error('login with token-1 failed'), nested: { token: 'token-1' } },
      'token-1 was refused',
    )
    expect(lines.join('')).toContain('${env:TOKEN} was refused')
    expect(lines.join('')).not.toContain('token-1')
  },
)
