import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { AnyDefinition } from '../../src/contract/index.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const SECRET = 'k7Qz-93mXw_Lp0Rt5vBn'
const shipped = readFileSync('plugins.config.json', 'utf8')
const schema = readFileSync('schemas/cxone-data-action.schema.json', 'utf8')
const environment = {
  KAFKA_BROKERS: 'k:9092',
  CXONE_BASE_URL: 'http://127.0.0.1',
  CXONE_CLIENT_ID: 'id',
  CXONE_CLIENT_SECRET: 'test-client-secret',
  WEBHOOK_TOKEN: 'test-webhook-token',
}

function warningsOf(text: string, definitions: readonly AnyDefinition[] = plugins, env: object = {}) {
  const files = { 'schemas/cxone-data-action.schema.json': schema }
  const read = readText(text, definitions, { environment: { ...environment, ...env }, files })
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.config.warnings
}
const names = (text: string, definitions?: readonly AnyDefinition[], env?: object) =>
  warningsOf(text, definitions, env).map(({ name }) => name)

/** The shipped config with these rules, each on a line of its own. */
const withRules = (...lines: string[]): string =>
  shipped.replace(/"rules": \[[\s\S]*?\n {12}\],/, `"rules": [\n${lines.join('\n')}\n],`)
const rule = (name: string, regex: string, topic = name, partition = 0, comma = ',') =>
  `{ "name": "${name}", "when": { "regex": "${regex}", "at": "/payload/x" }, "to": { "topic": "${topic}", "partition": ${partition} } }${comma}`

test('the shipped config has no warnings', () => {
  expect(warningsOf(shipped)).toEqual([])
})

test('a partition that two rules write to is named at the later one, with the place of the other', () => {
  const [warning, ...others] = warningsOf(
    withRules(rule('a', '^a', 't', 3), rule('b', '^b', 't', 3), rule('c', '^c', 't', 4)),
  )
  expect(others).toEqual([])
  expect(warning).toMatchObject({
    name: 'partition-shared',
    pointer: '/pipelines/cxone-data-actions/transforms/1/config/rules/1/to/partition',
  })
  expect(warning?.message).toMatch(
    /^The rule at plugins\.config\.json:\d+:\d+ already uses partition 3 of t\.$/,
  )
})

test('a dead-letter topic that a rule writes to is named', () => {
  expect(names(shipped.replace('cxone.data.actions.eu', 'cxone.data.actions.dlq'))).toEqual([
    'dead-letter-topic-routed',
  ])
})

test('what a plugin warns of has the place of its setting', () => {
  expect(warningsOf(withRules(rule('a', '^a'), rule('b', '^ab')))).toMatchObject([
    { name: 'rule-never-matches', location: { line: 21, column: 11, end: { line: 21, column: 14 } } },
  ])
})

test('a rule is held against the schema of the stage before, unless a transform between may change the event', () => {
  const text = withRules(
    rule('a', '^a').replace('/payload/x', '/payload/x').replace('"at": "/payload/x"', '"at": "/eventType/x"'),
  )
  expect(names(text)).toEqual(['rule-never-matches'])
  const [changes] = inlinePlugins().definitions.filter(({ kind }) => kind === 'transform')
  const between = text.replace(
    '{\n          "plugin": "route"',
    '{ "plugin": "changes" },\n{\n          "plugin": "route"',
  )
  expect(
    names(between, [...plugins, { ...changes, name: 'changes', routes: false } as AnyDefinition]),
  ).toEqual([])
})

test('of two routing transforms the later one is named', () => {
  const text = inlineConfig({ transforms: [{ plugin: 'everything' }, { plugin: 'everything' }] })
  expect(warningsOf(text, inlinePlugins().definitions)).toMatchObject([
    { name: 'route-overridden', pointer: '/pipelines/orders/transforms/1/plugin' },
  ])
})

test.each([
  ['a token', shipped.replace('${env:WEBHOOK_TOKEN}', 'short')],
  ['a client secret', shipped.replace('${env:CXONE_CLIENT_SECRET}', 'short')],
  ['a Kafka password', shipped.replace('"properties": {}', '"properties": { "sasl.password": "short" }')],
  [
    'a password of a grant',
    shipped.replace(
      '"clientId"',
      '"oauth": { "grant": { "type": "password", "username": "u", "password": "short" } }, "clientId"',
    ),
  ],
  [
    'a URL with a password',
    shipped.replace('"properties": {}', '"properties": { "client.id": "https://u:short@host/" }'),
  ],
])('%s that is written in the file is named, and is not in its lines', (_what, text) => {
  const read = readText(text, plugins, {
    environment,
    files: { 'schemas/cxone-data-action.schema.json': schema },
  })
  expect(read).toMatchObject({ ok: true, config: { warnings: [{ name: 'secret-in-clear' }] } })
  if (read.ok) expect(read.config.lines.join('\n')).not.toContain('short')
})

test('a setting of a telling name is a secret where it looks like one, whatever its plugin says', () => {
  const [source, ...others] = inlinePlugins().definitions
  const open = { ...source, config: { type: 'object' } } as unknown as AnyDefinition
  const found = (config: object) =>
    names(inlineConfig({ source: { plugin: 'inline', config } }), [open, ...others])
  expect(found({ headers: { Authorization: `Bearer ${SECRET}` } })).toEqual(['secret-in-clear'])
  expect(found({ 'x-api-key': SECRET })).toEqual(['secret-in-clear'])
  for (const value of [
    '/payload/token',
    '/run/secrets/token-of-the-webhook',
    'changeme',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
  ])
    expect(found({ token: value })).toEqual([])
  expect(found({ name: SECRET })).toEqual([])
})

test.each([
  ['hook', 'has fewer than 8 characters'],
  ['cxone-data-actions', 'is also a name in this config'],
  ['cxone.data.actions.high', 'is also a name in this config'],
  ['http-webhook', 'is also a name in this config'],
  ['passwords', 'is one word'],
])('a secret that can be guessed is named, and not shown: %s', (value, why) => {
  const [warning, ...others] = warningsOf(shipped, plugins, { WEBHOOK_TOKEN: value })
  expect(others).toEqual([])
  expect(warning).toMatchObject({
    name: 'secret-short',
    pointer: '/pipelines/cxone-data-actions/source/config/verify/tokens/0',
    message: expect.stringContaining(`This secret ${why}`),
  })
  expect(JSON.stringify(warning?.message)).not.toContain(value)
})

test('what is no secret may be short, and a long secret has no warning', () => {
  const env = { CXONE_CLIENT_ID: 'x', KAFKA_BROKERS: 'k:1', WEBHOOK_TOKEN: SECRET }
  expect(warningsOf(shipped, plugins, env)).toEqual([])
})

test('nothing secret is shown of a file that is not even JSON', () => {
  for (const text of [shipped.replace('${env:WEBHOOK_TOKEN}"]', `${SECRET}"`), `{"token": "${SECRET}\n}`]) {
    const read = readText(text, plugins, { environment })
    expect(read).toMatchObject({ ok: false, problems: [{ code: 'HG_CONFIG_SYNTAX' }] })
    expect(JSON.stringify(read)).not.toContain(SECRET)
  }
})

test.each([
  [' id', 'begins or ends with white space'],
  ['id\n', 'begins or ends with white space'],
  ['"id"', 'is wrapped in quotes'],
])('a reference to %j is named', (value, what) => {
  expect(warningsOf(shipped, plugins, { CXONE_CLIENT_ID: value })).toMatchObject([
    {
      name: 'reference-padded',
      pointer: '/pipelines/cxone-data-actions/postCommit/0/config/clientId',
      message: `The value of \${env:CXONE_CLIENT_ID} ${what}, which becomes part of it.`,
    },
  ])
})

test('what variables and files decide is silenced in place, and the comment may stay where they say otherwise', () => {
  const text = shipped
    .replace('${env:CXONE_CLIENT_SECRET}', '${file:s.properties:secret}')
    .replace('"properties": {}', '"properties": {\n"sasl.password": "${file:s.properties:password}" }')
  const warnings = (config: string, env: object, secrets: string) => {
    const files = { 'schemas/cxone-data-action.schema.json': schema, 's.properties': secrets }
    const read = readText(config, plugins, { environment: { ...environment, ...env }, files })
    return read.ok ? read.config.warnings.map(({ name, pointer }) => `${name} ${pointer}`) : read.problems
  }
  const long = 'secret=a-long-client-secret\npassword=a-long-password\n'
  const found = { env: { CXONE_BASEURL: 'http://127.0.0.1' }, secrets: `${long}old=c\n` }
  const pipeline = '/pipelines/cxone-data-actions'
  expect(warnings(text, found.env, found.secrets)).toEqual([
    `unused-secret ${pipeline}/sink/config/properties/sasl.password`,
    `unused-variable ${pipeline}/postCommit/0/config/baseUrl`,
  ])
  const silenced = text
    .replace('"sasl.password"', '// headgate-ignore: unused-secret until it is rotated\n"sasl.password"')
    .replace('"baseUrl"', '// headgate-ignore: unused-variable\n"baseUrl"')
  expect(warnings(silenced, found.env, found.secrets)).toEqual([])
  expect(warnings(silenced, {}, long)).toEqual([])
})

test.each([
  [
    'on the line before',
    [rule('a', '^a', 't'), '// headgate-ignore: partition-shared', rule('b', '^b', 't')],
  ],
  [
    'on the same line',
    [rule('a', '^a', 't'), `${rule('b', '^b', 't')} // headgate-ignore: partition-shared keep order`],
  ],
  ['as a block', [rule('a', '^a', 't'), '/* headgate-ignore: partition-shared */', rule('b', '^b', 't')]],
  [
    'above other comments',
    [rule('a', '^a', 't'), '// headgate-ignore: partition-shared', '// the second', '', rule('b', '^b', 't')],
  ],
  [
    'among others',
    [rule('a', '^a', 't'), '// headgate-ignore: partition-shared, rule-never-matches', rule('b', '^ab', 't')],
  ],
  [
    'above the object it is in',
    [rule('a', '^a', 't'), '// headgate-ignore: rule-never-matches', rule('b', '^ab').replace('{ ', '{\n')],
  ],
])('a comment silences a warning %s', (_where, lines) => {
  expect(names(withRules(...lines))).toEqual([])
})

test.each([
  ['// headgate-ignore: rule-never-matchs', 'ignore-unknown', 'Did you mean "rule-never-matches"?'],
  [
    '// headgate-ignore',
    'ignore-unknown',
    'Write the name that the warning shows: "// headgate-ignore: rule-never-matches".',
  ],
  [
    '// headgate-ignore: rule-never-matches',
    'ignore-unused',
    'Remove the comment, or move it to the line before the one that the warning names.',
  ],
])('a comment that silences nothing is a warning: %s', (comment, name, suggestion) => {
  expect(warningsOf(withRules(comment, rule('a', '^a')))).toMatchObject([
    { name, suggestion, location: { line: 20, column: 1, end: { line: 20, column: comment.length + 1 } } },
  ])
})

test('a comment does not silence what stands elsewhere', () => {
  const text = withRules('// headgate-ignore: partition-shared', rule('a', '^a', 't'), rule('b', '^b', 't'))
  expect(names(text)).toEqual(['ignore-unused', 'partition-shared'])
})

test('a plugin that fails at it is a warning at its stage, and the other warnings are there', () => {
  const [source, ...others] = inlinePlugins().definitions
  const fails = {
    ...source,
    lint() {
      throw new Error('no such thing')
    },
  } as unknown as AnyDefinition
  const text = inlineConfig({ transforms: [{ plugin: 'everything' }, { plugin: 'everything' }] })
  expect(warningsOf(text, [fails, ...others])).toMatchObject([
    {
      name: 'lint-failed',
      pointer: '/pipelines/orders/source/plugin',
      message: 'inline failed: no such thing',
    },
    { name: 'route-overridden' },
  ])
})
