import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { validateCommand } from '../../src/commands/validate.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const env = environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' })
const shipped = readFileSync('plugins.config.json', 'utf8')

async function validated(change: (text: string) => string, io: object = {}, options: object = {}) {
  const cwd = temporaryDirectory({
    'plugins.config.json': change(shipped),
    'schemas/cxone-data-action.schema.json': readFileSync('schemas/cxone-data-action.schema.json', 'utf8'),
  })
  return runCommand(validateCommand, { options: { ...options } }, { cwd, env, ...io })
}

test('the shipped config is ok, and what was understood is shown', async () => {
  const { code, out, err } = await validated((text) => text)
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^ok: plugins\.config\.json, revision [0-9a-f]{12}\n {2}pipeline cxone-data-actions\n/)
  expect(out).toContain('transform    route')
})

test('a variable that is a setting but for a slip is named, and the response for programs stays what it is', async () => {
  const slip = { ...env, HEADGATE_PROT: '9000' }
  const { code, out, err } = await validated((text) => text, { env: slip }, { format: 'json', strict: true })
  expect([code, JSON.parse(out)]).toMatchObject([0, { ok: true, problems: [] }])
  expect(err).toBe(
    'warning: The variable HEADGATE_PROT has no effect: there is no such setting. Did you mean HEADGATE_PORT?\n',
  )
})

test('load balancers in a network of strangers get a warning', async () => {
  const { code, err } = await validated((text) => text, {
    env: { ...env, HEADGATE_PROXY_PROTOCOL: '10.0.0.0/8,0.0.0.0/0' },
  })
  expect(code).toBe(0)
  expect(err).toMatch(/^warning: The network 0\.0\.0\.0\/0 in HEADGATE_PROXY_PROTOCOL has addresses .*\n$/)
})

test('what only the Kafka client itself can judge is a problem with its place', async () => {
  const properties = '"properties": { "security.protocol": "ssl", "ssl.ca.location": "/no/such.pem" }'
  const { code, err } = await validated((text) => text.replace('"properties": {}', properties))
  expect(code).toBe(1)
  expect(stripVTControlCharacters(err)).toMatch(
    /plugins\.config\.json:\d+:\d+[\s\S]*HG_CONFIG_UNREADABLE: ssl\.ca\.location is \/no\/such\.pem, and there is no such file\./,
  )
})

test('properties of the Kafka client that run code need a process setting', async () => {
  const properties = '"properties": { "plugin.library.paths": "/no/such.so" }'
  const change = (text: string) => text.replace('"properties": {}', properties)
  expect((await validated(change)).err).toContain('plugin.library.paths is not allowed: it loads libraries.')
  const allowed = { env: { ...env, HEADGATE_ALLOW_CLIENT_CODE: 'true' } }
  const { err } = await validated(change, allowed)
  expect(err).not.toContain('is not allowed')
  // Then it is loaded, and librdkafka says what it thinks of it.
  expect(err).toMatch(/HG_CONFIG_VALUE: .*no\/such\.so/)
})

test('a file can be named', async () => {
  const cwd = temporaryDirectory({ 'other.json': '{}' })
  const { code, err } = await runCommand(validateCommand, { arguments: ['other.json'] }, { cwd })
  expect([code, err.split('\n')[0]]).toEqual([1, 'other.json:1:1'])
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
    [/no setting "brokes"/, /Did you mean "brokers"\?/, /\n\n1 error\.\n$/],
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
    [/HG_CONFIG_REGEX/, /rules\/0\/when\/regex/, /Missing closing \)/],
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
    [/Did you mean "linger\.ms"/, / {26}\^{13}\n/],
  ],
  [
    'a mistyped word',
    (t) => t.replace(/"otherwise": \{[^}]*\}/, '"otherwise": "dead-leter"'),
    [/expected: \{"topic": \.\.\./, /Did you mean "dead-letter"\?/],
  ],
  [
    'a mistyped word of the engine',
    (t) => t.replace('"plugin": "json-schema",', '"plugin": "json-schema", "onError": "deadletter",'),
    [/expected: "reject", /, /Did you mean "dead-letter"\?/],
  ],
  [
    'a number out of bounds',
    (t) => t.replace('"plugin": "cxone-ack",', '"plugin": "cxone-ack", "concurrency": 0,'),
    [/expected: at least 1: /],
  ],
  [
    'a text where a list belongs',
    (t) => t.replace(/\["\$\{env:WEBHOOK_TOKEN\}"\]/, '"${env:WEBHOOK_TOKEN}"'),
    [/expected: an array: The tokens that are accepted\./],
  ],
  [
    'an object where the list of transforms belongs, and nothing is said of what it lacks,',
    (t) =>
      t.replace('"transforms": [', '"transforms": { "a": [').replace('],\n      "sink"', ']},\n      "sink"'),
    [/\/transforms\n.*should be an array/, /\n\n1 error\.\n$/],
  ],
  [
    'overlapping status lists',
    (t) => t.replace('"clientId"', '"statuses": {"success": [200, 503], "retry": [503]}, "clientId"'),
    [/HG_CONFIG_CONFLICT/, /statuses/],
  ],
  ['no JSON', (t) => t.slice(0, 100), [/HG_CONFIG_SYNTAX/]],
])('%s is refused with its place and what to do', async (_name, change, said) => {
  const { code, out, err } = await validated(change)
  expect([code, out]).toEqual([1, ''])
  for (const words of said) expect(err).toMatch(words)
  expect(err).toMatch(/^plugins\.config\.json:\d+:\d+/)
  expect(err).toMatch(/\n\n\d+ errors?\.\n$/)
})

test('two values that fit no alternative are one problem each', async () => {
  const { err } = await validated((text) =>
    text
      .replace(/"to": \{[^}]*high[^}]*\}/, '"to": "discard"')
      .replace(/"to": \{[^}]*\.eu[^}]*\}/, '"to": 5'),
  )
  expect(err.match(/ HG_CONFIG_[A-Z_]+: /g)).toHaveLength(2)
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

const misspelt = (text: string) =>
  text.replace('"brokers"', '"brokes"').replace('"partition": 2', '"partition": "two"')
const overlapping = (text: string) =>
  text.replace('"partition": 1', '"partition": 0').replace('cxone.data.actions.eu', 'cxone.data.actions.high')

test('every problem has its lines, what is known of it, and where its code is explained', async () => {
  const { err } = await validated(misspelt)
  expect(err).toContain(
    [
      'plugins.config.json:32:80  /pipelines/cxone-data-actions/transforms/1/config/otherwise/partition',
      '  HG_CONFIG_VALUE: This value should be an integer.',
      '',
      '  31 |             ],',
      '> 32 |             "otherwise": { "topic": "cxone.data.actions.default", "partition": "two" }',
      '     |                                                                                ^^^^^',
      '  33 |           }',
      '',
      '  expected: a partition: 0 or a larger integer',
      '  found:    "two"',
      '  "headgate help HG_CONFIG_VALUE" explains it',
    ].join('\n'),
  )
  expect(err).toContain('> 39 |           "brokes": "${env:KAFKA_BROKERS}",\n     |           ^^^^^^^^\n')
  expect(err).toMatch(/\n\n2 errors\.\n$/)
})

test('a terminal gets the same in colours, unless it asks for none', async () => {
  const terminal = { out: true, err: true, columns: 120 }
  const { err: plain } = await validated(misspelt)
  const { err: coloured } = await validated(misspelt, { terminal })
  expect(coloured).not.toBe(plain)
  expect(stripVTControlCharacters(coloured)).toBe(plain)
  expect((await validated(misspelt, { terminal, env: { ...env, NO_COLOR: '1' } })).err).toBe(plain)
})

test('a secret that is written in the file is not printed, whatever is wrong around it', async () => {
  const { code, out, err } = await validated((text) =>
    text
      .replace('"${env:CXONE_CLIENT_SECRET}"', '"hush-hush",\n"timeut": "1s"')
      .replace('["${env:WEBHOOK_TOKEN}"]', '"hush-hush"'),
  )
  expect([code, out]).toEqual([1, ''])
  expect(err).not.toContain('hush-hush')
  expect(err).toContain('found:    "*********"')
})

const formatted = (change: (text: string) => string, options: object) => validated(change, {}, options)

test('as JSON it is one document with every place from start to end', async () => {
  const { code, out, err } = await formatted(misspelt, { format: 'json' })
  expect([code, err]).toEqual([1, ''])
  const { problems, ...whole } = JSON.parse(out)
  expect(whole).toEqual({ ok: false, file: 'plugins.config.json', revision: null })
  expect(problems).toContainEqual({
    code: 'HG_CONFIG_VALUE',
    severity: 'error',
    file: 'plugins.config.json',
    line: 32,
    column: 80,
    endLine: 32,
    endColumn: 85,
    pointer: '/pipelines/cxone-data-actions/transforms/1/config/otherwise/partition',
    message: 'This value should be an integer.',
    expected: 'a partition: 0 or a larger integer',
    found: '"two"',
    help: 'headgate help HG_CONFIG_VALUE',
  })
})

test('as JSON a config that is fine has its revision and no problems', async () => {
  const { code, out } = await formatted((text) => text, { format: 'json' })
  expect([code, JSON.parse(out)]).toEqual([
    0,
    {
      ok: true,
      file: 'plugins.config.json',
      revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      problems: [],
    },
  ])
})

test('for GitHub there is one escaped workflow command a problem', async () => {
  const { code, out, err } = await formatted(
    (text) => text.replace('"plugin": "kafka"', '"plugin": "kafka%,:"'),
    { format: 'github' },
  )
  expect([code, err]).toEqual([1, ''])
  expect(out).toBe(
    '::error file=plugins.config.json,line=37,col=19,endColumn=29,endLine=37,title=HG_CONFIG_PLUGIN::' +
      'There is no sink "kafka%25,:".%0Aexpected: one of "kafka"%0Afound: "kafka%25,:"%0A' +
      '"headgate help HG_CONFIG_PLUGIN" explains it\n',
  )
})

test('for GitHub what is special in a property is escaped too', async () => {
  const cwd = temporaryDirectory({ 'a,b:c.json': '' })
  const input = { arguments: ['a,b:c.json'], options: { format: 'github' } }
  const { out } = await runCommand(validateCommand, input, { cwd })
  expect(out).toBe(
    '::error file=a%2Cb%3Ac.json,line=1,col=1,endColumn=1,endLine=1,title=HG_CONFIG_SYNTAX::' +
      'The file is empty.%0A"headgate help HG_CONFIG_SYNTAX" explains it\n',
  )
})

test('warnings are printed, and only --strict refuses for them', async () => {
  const { code, out, err } = await validated(overlapping)
  expect([code, out.split(',')[0]]).toEqual([0, 'ok: plugins.config.json'])
  expect(err).toMatch(
    / {2}warning partition-shared: The rule at plugins\.config\.json:\d+:\d+ already uses partition 0 of cxone\.data\.actions\.high\./,
  )
  expect(err).toMatch(/ {2}"headgate help partition-shared" explains it\n\n1 warning\.\n$/)
  expect(await formatted(overlapping, { strict: true })).toMatchObject({ code: 1, out: '', err })
  const json = await formatted(overlapping, { strict: true, format: 'json' })
  expect([json.code, JSON.parse(json.out)]).toMatchObject([
    1,
    {
      ok: false,
      problems: [{ severity: 'warning', code: 'partition-shared', help: 'headgate help partition-shared' }],
    },
  ])
  expect((await formatted(overlapping, { format: 'github' })).out).toMatch(/^::warning file=/)
})

test('a format that does not exist is wrong usage', async () => {
  expect(await formatted((text) => text, { format: 'xml' })).toEqual({
    code: 2,
    out: '',
    err: '--format should be one of text, json, github; it is "xml".\n',
  })
})

const nobody = { againstCluster: true, timeout: '2s' }

test('nothing outside is asked unless that is wanted, and not before the file is valid', async () => {
  expect(await validated((text) => text)).toMatchObject({ code: 0 })
  const { err } = await validated(misspelt, {}, nobody)
  expect(err).not.toMatch(/HG_KAFKA|HG_ACK|checked/)
})

test('against a cluster that is not there: each problem with its lines, and what could not be checked', async () => {
  const { code, out, err } = await validated((text) => text, {}, nobody)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(
    [
      '  HG_KAFKA_UNAVAILABLE: Kafka cannot be reached at 127.0.0.1:1: nothing listens there.',
      '',
      '  38 |         "config": {',
      '> 39 |           "brokers": "${env:KAFKA_BROKERS}",',
    ].join('\n'),
  )
  expect(err).toMatch(
    /\n\n3 errors\.\nnot checked:\n {2}cxone-data-actions kafka: Topics and the consumer group: no broker could be reached\.\n$/,
  )
})

test('against a cluster, programs and GitHub get what could not be checked, too', async () => {
  const json = await validated((text) => text, {}, { ...nobody, format: 'json' })
  expect(json).toMatchObject({ code: 1, err: '' })
  const { ok, revision, problems, checked, unchecked } = JSON.parse(json.out)
  expect([ok, revision]).toEqual([false, expect.stringMatching(/^[0-9a-f]{12}$/)])
  expect(problems.map(({ code, line }: { code: string; line: number }) => [code, line])).toEqual([
    ['HG_KAFKA_UNAVAILABLE', 39],
    ['HG_ACK_TOKEN', 50],
    ['HG_ACK_UNREACHABLE', 50],
  ])
  expect([checked, unchecked]).toEqual([
    [],
    [{ pipeline: 'cxone-data-actions', plugin: 'kafka', message: expect.stringContaining('no broker') }],
  ])
  const github = await validated((text) => text, {}, { ...nobody, format: 'github' })
  expect(github.out.match(/^::error /gm)).toHaveLength(3)
  expect(github.out).toMatch(/^::notice title=not checked::Topics and the consumer group/m)
})

test.each(['soon', '0s', '5h', '-1s'])('a timeout of %s is wrong usage', async (timeout) => {
  const { code, err } = await validated((text) => text, {}, { ...nobody, timeout })
  expect([code, err]).toEqual([2, `--timeout should be a duration such as 10s; it is "${timeout}".\n`])
})
