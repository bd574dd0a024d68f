import { expect, test } from 'vitest'
import { createLog } from '../src/log.js'

function logged(options: object = {}) {
  const lines: string[] = []
  const created = createLog({
    level: 'info',
    format: 'json',
    terminal: false,
    write: (line) => void lines.push(line),
    ...options,
  })
  return { ...created, lines }
}

test('a line is JSON with level, time, fields and message', () => {
  const { log, lines } = logged()
  log.child({ pipeline: 'orders' }).warn({ code: 'HG_X' }, 'something')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    pipeline: 'orders',
    code: 'HG_X',
    msg: 'something',
  })
})

test('on a terminal a line is readable', () => {
  const { log, lines } = logged({ format: 'pretty' })
  log.info({ intake: 'http://127.0.0.1:1' }, 'listening')
  expect(lines.join('')).toMatch(/INFO: listening \{"intake":"http:\/\/127.0.0.1:1"\}/)
})

test.each(['json', 'pretty'])('a hidden value never appears in a %s line, whatever carries it', (format) => {
  const { log, hide, lines } = logged({ format })
  hide(
    new Map([
      ['p"ass\nword', '${env:PASSWORD}'],
      ['token-1', '${env:TOKEN}'],
    ]),
  )
  log.error(
    { err: new Error('login with token-1 failed'), nested: { password: 'p"ass\nword' } },
    'token-1 was refused',
  )
  expect(lines.join('')).toContain('${env:TOKEN} was refused')
  expect(lines.join('')).not.toMatch(/token-1|p\\?\\?"ass/)
})

test('a value that contains another hidden one is hidden whole', () => {
  const { log, hide, lines } = logged()
  hide(
    new Map([
      ['secret', '${env:A}'],
      ['secret-longer', '${env:B}'],
    ]),
  )
  log.info({}, 'it is secret-longer')
  expect(JSON.parse(lines[0] ?? '').msg).toBe('it is ${env:B}')
})
