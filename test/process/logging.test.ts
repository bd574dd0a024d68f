import { expect, test } from 'vitest'
import { createLog, warningLogger } from '../../src/process/logging.js'
import { lineRedactor } from '../../src/process/redact.js'

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

const HOSTILE = [
  '\u009b2J',
  '\u202egnp',
  '\u001b[31m',
  '\r\n{"level":"fatal","msg":"forged"}',
  '\u2028',
  '\u0000',
]

test.each(['json', 'pretty'])(
  'no %s line has a character that moves the cursor, turns the writing around or begins a line',
  async (format) => {
    const { log, lines } = await logged({ format })
    for (const text of HOSTILE)
      log.warn({ [`name${text}`]: 1, nested: { [text]: [text] }, err: new Error(text) }, `found ${text}`)

    const written = lines.join('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(written).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
    const starts = written.split('\n').filter((line) => line.includes('fatal') || line.includes('forged'))
    for (const line of starts) expect(line.startsWith('{"level":"fatal"')).toBe(false)
    if (format === 'json')
      expect(lines.map((line) => JSON.parse(line).msg)).toEqual(HOSTILE.map((text) => `found ${text}`))
  },
)

test.each(['json', 'pretty'])('a secret of several lines is not in a %s line', async (format) => {
  const { log, redact, lines } = await logged({ format })
  const key = '-----BEGIN KEY-----\nc2VjcmV0\n-----END KEY-----\n'
  redact(lineRedactor(new Map([[key, '${file:key.pem}']])))
  log.error({ given: key }, `refused: ${key}`)
  expect(lines.join('')).not.toContain('c2VjcmV0')
  expect(lines.join('')).toContain('${file:key.pem}')
})

test.each(['json', 'pretty'])(
  'short and common secrets leave the rest of a %s line as it is',
  async (format) => {
    const { log, redact, lines } = await logged({ format })
    const secrets = ['hook', 'headgate', 'info', 'true', '1234', 'stage', 'orders']
    redact(lineRedactor(new Map(secrets.map((secret) => [secret, `\${env:${secret.toUpperCase()}_TOKEN}`]))))
    log
      .child({ pipeline: 'orders', stage: 'source.http-webhook', group: 'headgate.orders' })
      .info({ id: 'hook-1234', bytes: 1234, open: true, brokers: 'headgate:9092' }, 'Bearer hook for webhook')
    const [line = ''] = lines
    if (format === 'json')
      expect(JSON.parse(line)).toMatchObject({
        level: 'info',
        pipeline: 'orders',
        stage: 'source.http-webhook',
        group: 'headgate.orders',
        id: 'hook-1234',
        bytes: 1234,
        open: true,
        brokers: 'headgate:9092',
        msg: 'Bearer ${env:HOOK_TOKEN} for webhook',
      })
    else
      for (const text of [
        'INFO',
        'Bearer ${env:HOOK_TOKEN} for webhook',
        '"bytes":1234',
        '"open":true',
        'headgate:9092',
      ])
        expect(line).toContain(text)
  },
)

test('a warning of Node.js is a line of JSON, with its name and stack', async () => {
  const { log, lines } = await logged()
  warningLogger(log)(
    Object.assign(new Error('11 abort listeners added'), { name: 'MaxListenersExceededWarning' }),
  )
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    event: 'node-warning',
    name: 'MaxListenersExceededWarning',
    stack: expect.stringContaining('11 abort listeners added'),
    msg: 'Node.js warns: 11 abort listeners added',
  })
})
