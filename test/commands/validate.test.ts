import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { validateCommand } from '../../src/commands/validate.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const env = environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' })
const shipped = readFileSync('plugins.config.json', 'utf8')

async function validated(change: (text: string) => string, io: object = {}) {
  const cwd = temporaryDirectory({
    'plugins.config.json': change(shipped),
    'schemas/cxone-data-action.schema.json': readFileSync('schemas/cxone-data-action.schema.json', 'utf8'),
  })
  return runCommand(validateCommand, {}, { cwd, env, ...io })
}

test('the shipped config is ok, and what was understood is shown', async () => {
  const { code, out, err } = await validated((text) => text)
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^ok: plugins\.config\.json, revision [0-9a-f]{12}\n {2}pipeline cxone-data-actions\n/)
  expect(out).toContain('transform    route')
})

test('a file can be named', async () => {
  const cwd = temporaryDirectory({ 'other.json': '{}' })
  const { code, err } = await runCommand(validateCommand, { arguments: ['other.json'] }, { cwd })
  expect([code, err.split('\n')[0]]).toEqual([1, 'other.json:1:1  (the whole file)'])
})

test.each<[string, (text: string) => string, RegExp[]]>([
  [
    'a typo in a plugin',
    (t) => t.replace('"http-webhook"', '"http-webhok"'),
    [/no source "http-webhok"/, /Did you mean "http-webhook"\?/],
  ],
  [
    'a typo in a setting',
    (t) => t.replace('"brokers"', '"brokes"'),
    [/no setting "brokes"/, /Did you mean "brokers"\?/, /"brokers" is missing/],
  ],
  [
    'a wrong type',
    (t) => t.replace('"partition": 2', '"partition": "2"'),
    [/partition\n.*should be an integer/, /found: {4}"2"/],
  ],
  [
    'a missing variable',
    (t) => t.replace('WEBHOOK_TOKEN', 'WEBHOOK_TOKN'),
    [/variable WEBHOOK_TOKN is not set/],
  ],
  [
    'a malformed pointer',
    (t) => t.replace('"/payload"', '"payload"'),
    [/sink\/config\/value/, /a JSON Pointer such as/],
  ],
  [
    'a malformed regex',
    (t) => t.replace('\\"high\\"', '\\"high(\\"'),
    [/HG_CONFIG_REGEX/, /rules\/0\/when\/regex/, /missing closing \)/],
  ],
  [
    'a malformed expression',
    (t) => t.replace("= 'eu-west'", "= = 'eu'"),
    [/HG_CONFIG_JSONATA/, /rules\/1\/when\/jsonata/, /at position 18/],
  ],
  [
    'a missing schema file',
    (t) => t.replace('cxone-data-action.schema', 'nope.schema'),
    [/nope\.schema\.json/, /no such file/],
  ],
  ['a negative partition', (t) => t.replace('"partition": 2', '"partition": -2'), [/should be at least 0/]],
  ['an illegal topic', (t) => t.replace('cxone.data.actions.eu', 'cxone/eu'), [/topic/, /letters, digits/]],
  [
    'an unknown verify scheme',
    (t) => t.replace('"bearer"', '"baerer"'),
    [/no such scheme/, /Did you mean "bearer"\?/],
  ],
  [
    'a protected property',
    (t) => t.replace('"properties": {}', '"properties": {"acks": "1"}'),
    [/HG_CONFIG_CONFLICT/, /properties\/acks/],
  ],
  [
    'an unknown property',
    (t) => t.replace('"properties": {}', '"properties": {"linger.msec": 1}'),
    [/Did you mean "linger\.ms"/],
  ],
  [
    'overlapping status lists',
    (t) => t.replace('"clientId"', '"statuses": {"success": [200, 503]}, "clientId"'),
    [/HG_CONFIG_CONFLICT/, /statuses/],
  ],
  [
    'a rule that can never match',
    (t) => t.replace('"rules": [', '"rules": [{"name": "all", "when": {"regex": ".*"}, "to": "drop"},'),
    [/HG_CONFIG_UNREACHABLE_RULE/, /"all"/],
  ],
  ['no JSON', (t) => t.slice(0, 100), [/HG_CONFIG_SYNTAX/]],
])('%s is refused with its place and what to do', async (_name, change, said) => {
  const { code, out, err } = await validated(change)
  expect([code, out]).toEqual([1, ''])
  for (const words of said) expect(err).toMatch(words)
  expect(err).toMatch(/^plugins\.config\.json:\d+:\d+ {2}/)
  expect(err).toMatch(/problems?\.\n$/)
})

test('two values that fit no alternative are one problem each', async () => {
  const { err } = await validated((text) =>
    text
      .replace(/"to": \{[^}]*high[^}]*\}/, '"to": "discard"')
      .replace(/"to": \{[^}]*\.eu[^}]*\}/, '"to": 5'),
  )
  expect(err.match(/HG_CONFIG_/g)).toHaveLength(2)
})

test('all problems are reported at once', async () => {
  const { err } = await validated((text) =>
    text
      .replace('"http-webhook"', '"nope"')
      .replace('"partition": 2', '"partition": -2')
      .replace('"clientId"', '"clientID"'),
  )
  for (const words of ['no source "nope"', 'at least 0', '"clientID"']) expect(err).toContain(words)
})

test('a source without verification is refused where strangers can reach it', async () => {
  const open = (text: string) => text.replace(/"verify": \{.*\}/, '"verify": { "scheme": "none" }')
  expect((await validated(open)).code).toBe(0)
  const exposed = await validated(open, { env: { ...env, HEADGATE_HOST: '0.0.0.0' } })
  expect([exposed.code, exposed.err]).toEqual([1, expect.stringContaining('HG_CONFIG_UNVERIFIED')])
  const allowed = { ...env, HEADGATE_HOST: '0.0.0.0', HEADGATE_ALLOW_UNVERIFIED: 'true' }
  expect((await validated(open, { env: allowed })).code).toBe(0)
})

test('two pipelines on one path are refused, and both places are named', async () => {
  const { err } = await validated((text) => {
    const config = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''))
    const [pipeline] = Object.values(config.pipelines)
    return JSON.stringify({ pipelines: { one: pipeline, two: pipeline } }, undefined, 2)
  })
  expect(err).toMatch(
    /\/pipelines\/two\/source\/config\/path\n.*HG_CONFIG_CONFLICT.*plugins\.config\.json:\d+:\d+/,
  )
})

test('a wrong process setting is wrong usage', async () => {
  const { code, err } = await validated((text) => text, { env: { ...env, HEADGATE_PORT: 'x' } })
  expect([code, err]).toEqual([
    2,
    'HEADGATE_PORT (--port) should be a whole number from 0 to 65535; it is "x".\n',
  ])
})
