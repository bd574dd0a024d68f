import { describe, expect, test } from 'vitest'
import {
  closestMatches,
  flagOf,
  readSettings,
  SETTINGS,
  settingWarnings,
} from '../../src/process/settings.js'

test('without environment and flags the defaults hold', () => {
  const read = readSettings({}, {})
  expect(read).toMatchObject({
    ok: true,
    settings: {
      config: './plugins.config.json',
      host: '127.0.0.1',
      port: 8080,
      adminPort: 8083,
      allowUnverified: false,
    },
  })
})

test('a flag counts before its environment variable, that before the default', () => {
  const read = readSettings({ HEADGATE_PORT: '9000', HEADGATE_ADMIN_PORT: '9001' }, { port: '9002' })
  expect(read).toMatchObject({ ok: true, settings: { port: 9002, adminPort: 9001 } })
})

test('every wrong setting is named at once, with what was expected and what was found', () => {
  const read = readSettings(
    { HEADGATE_PORT: '99999', HEADGATE_SHUTDOWN_TIMEOUT: 'soon' },
    { logLevel: 'loud' },
  )
  expect(read.ok ? [] : read.problems).toEqual([
    'HEADGATE_PORT (--port) should be a whole number from 0 to 65535; it is "99999".',
    'HEADGATE_LOG_LEVEL (--log-level) should be one of trace, debug, info, warn, error, fatal, silent; it is "loud".',
    'HEADGATE_SHUTDOWN_TIMEOUT (--shutdown-timeout) should be a duration such as "500ms", "30s" or "5m"; it is "soon".',
  ])
})

test.each(['', ' ', '80a', '-1', '1.5'])('"%s" is no port', (port) => {
  expect(readSettings({ HEADGATE_PORT: port }, {}).ok).toBe(false)
})

test('the variable that Kubernetes sets for a Service named headgate is recognised', () => {
  const read = readSettings({ HEADGATE_PORT: 'tcp://10.0.0.1:8080' }, {})
  expect(read.ok ? '' : read.problems[0]).toContain('enableServiceLinks: false')
})

test('allowing unverified senders takes the word true', () => {
  expect(readSettings({ HEADGATE_ALLOW_UNVERIFIED: 'true' }, {})).toMatchObject({
    settings: { allowUnverified: true },
  })
  expect(readSettings({ HEADGATE_ALLOW_UNVERIFIED: 'yes' }, {}).ok).toBe(false)
})

test('every setting has an environment variable, a flag and a meaning', () => {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
    expect(setting.env).toBe(`HEADGATE_${snake}`)
    expect(flagOf(setting)).toBe(snake.toLowerCase().replaceAll('_', '-'))
    expect(setting.doc).toMatch(/\.$/)
  }
})

test.each([
  [{ HEADGATE_TLS_CERT: 'a.crt' }, 'HEADGATE_TLS_CERT needs HEADGATE_TLS_KEY too.'],
  [{ HEADGATE_ADMIN_TLS_KEY: 'a.key' }, 'HEADGATE_ADMIN_TLS_KEY needs HEADGATE_ADMIN_TLS_CERT too.'],
])('a certificate and its key belong together: %j', (environment, problem) => {
  expect(readSettings(environment, {})).toEqual({ ok: false, problems: [problem] })
})

test('a takeover and workers do not go together', () => {
  expect(readSettings({ HEADGATE_WORKERS: '2' }, { takeover: 'true' })).toEqual({
    ok: false,
    problems: ['HEADGATE_TAKEOVER and HEADGATE_WORKERS do not work together; set only one of them.'],
  })
  expect(readSettings({ HEADGATE_TAKEOVER: 'true' }, {})).toMatchObject({ settings: { takeover: true } })
})

test('an authority for clients is nothing without a certificate', () => {
  expect(readSettings({ HEADGATE_TLS_CLIENT_CA: 'ca.crt' }, {})).toEqual({
    ok: false,
    problems: [
      'HEADGATE_TLS_CLIENT_CA needs HEADGATE_TLS_CERT too.',
      'HEADGATE_TLS_CLIENT_CA needs HEADGATE_TLS_KEY too.',
    ],
  })
})

describe('hints at the closest setting', () => {
  test.each([
    ['HEADGATE_PROT', 'HEADGATE_PORT'],
    ['HEADGATE_LOGLEVEL', 'HEADGATE_LOG_LEVEL'],
    ['headgate_config', 'HEADGATE_CONFIG'],
  ])('%s has no effect, and %s was meant', (name, meant) => {
    expect(closestMatches({ [name]: 'x' })).toEqual([
      `The variable ${name} has no effect: there is no such setting. Did you mean ${meant}?`,
    ])
  })

  test.each<[string, object]>([
    ['a setting', { HEADGATE_PORT: '1', HEADGATE_HOST: 'x' }],
    ['set together with the setting itself', { HEADGATE_PROT: '1', HEADGATE_PORT: '1' }],
    ['like no setting', { HEADGATE_WEBHOOK_TOKEN: 'x', HEADGATE_SERVICE_HOST: 'x' }],
    ['without our prefix', { PROT: '1', HEADGATEX_PORT: '1' }],
  ])('there is no hint for a variable that is %s', (_kind, environment) => {
    expect(closestMatches(environment as { [name: string]: string })).toEqual([])
  })
})

describe('warns of load balancers in networks of strangers', () => {
  test.each([
    ['0.0.0.0/0', ['0.0.0.0/0']],
    ['10.0.0.0/8,::/0,128.0.0.0/1', ['::/0', '128.0.0.0/1']],
    ['10.0.0.0/8,fc00::/7,192.0.2.7', []],
    ['', []],
  ])('%s: %j', (networks, warned) => {
    const read = readSettings({ HEADGATE_PROXY_PROTOCOL: networks }, {})
    const warnings = read.ok ? settingWarnings(read.settings) : read.problems
    expect(warnings).toEqual(
      warned.map((network) =>
        expect.stringMatching(`^The network ${network} in HEADGATE_PROXY_PROTOCOL has addresses`),
      ),
    )
  })
})
