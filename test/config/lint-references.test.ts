import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unusedSecrets, unusedVariables } from '../../src/config/lint-references.js'
import { substitute } from '../../src/config/providers.js'
import { temporaryDirectory } from '../helpers/context.js'

const files = {
  's.properties': 'user = me\npassword = s3cret\nold = 0ld-value\nempty =\n',
  's.json': '{"user": "me", "db": {"password": "s3cret", "port": 1}, "none": null}',
  'shared.properties': 'a=1\nb=2\nc=3\nd=4\n',
  'two.properties': 'a=1\nb=2\n',
  'key.properties': 'user=me\npassword=MIIEvQIBADAN\nBgkqhkiG9w0BAQE==\n',
  'mount/token': 't0ken',
  'mount/user': 'me',
  'mount/old': '0ld-value',
  'mount/.hidden': 'x',
  'mount/ca.crt': 'x',
}

function found(texts: readonly string[], environment = {}, change = (_folder: string) => {}) {
  const folder = temporaryDirectory(files)
  mkdirSync(join(folder, 'mount/below'))
  change(folder)
  const substituted = substitute({ of: texts }, environment, folder)
  expect(substituted.problems).toEqual([])
  const all = [...unusedSecrets(substituted.resolved, { of: texts }, environment)]
  expect(JSON.stringify(all)).not.toMatch(/s3cret|0ld-value|t0ken/)
  return all
}
const properties = ['${file:s.properties:user}', '${file:s.properties:password}']
const mounted = ['${dir:mount:token}', '${dir:mount:user}']

test('the one key of a file that no reference names is named at the first reference to the file', () => {
  expect(found(['plain', ...properties])).toEqual([
    {
      pointer: '/of/1',
      name: 'unused-secret',
      message: 'References name all keys of the file s.properties except "old".',
      suggestion: 'Remove it from the file, or refer to it: "${file:s.properties:old}".',
    },
  ])
})

test('a key of a JSON file is named as a reference names it, however the others are written', () => {
  const others = (...keys: string[]) => found(keys.map((key) => `\${file:s.json:${key}}`))
  expect(others('user', '/db/password')).toMatchObject([
    {
      message: expect.stringContaining('except "/db/port".'),
      suggestion: expect.stringContaining('"${file:s.json:/db/port}"'),
    },
  ])
  expect(others('/db/port', '/db/password')).toMatchObject([
    { message: expect.stringContaining('except "user".') },
  ])
  expect(others('/user', '/db/password', '/db/port')).toEqual([])
})

test('the one file of a folder that no reference names is named; what Kubernetes puts beside it is not', () => {
  expect(found(mounted)).toEqual([
    {
      pointer: '/of/0',
      name: 'unused-secret',
      message: 'References name all files of the folder mount except "old".',
      suggestion: 'Remove it from the folder, or refer to it: "${dir:mount:old}".',
    },
  ])
})

test.each<[string, string[], object?]>([
  ['only one other key is named', ['${file:two.properties:a}']],
  ['several are left', ['${file:shared.properties:a}', '${file:shared.properties:b}']],
  ['the file is referred to whole', [...properties, '${file:s.properties}']],
  [
    'a line has no value, or is the end of one',
    ['${file:key.properties:user}', '${file:key.properties:password}'],
  ],
  ['all are named', [...mounted, '${file:mount/old}']],
  ['only one other file is named', ['${dir:mount:token}']],
  ['a path in the config names the file', [...mounted, '/etc/mount/old']],
  ['a variable names the file', mounted, { HEADGATE_TLS_KEY: './mount/old' }],
])('nothing is left over where %s', (_what, texts, environment = {}) => {
  expect(found(texts, environment)).toEqual([])
})

test('a folder that cannot be looked through tells nothing', () => {
  const dangling = (folder: string) => symlinkSync(join(folder, 'no'), join(folder, 'mount/dangling'))
  expect(found(mounted, {}, dangling)).toEqual([])
})

const used = { CXONE_CLIENT_ID: 'id', CXONE_CLIENT_SECRET: 's3cret', KAFKA_BROKERS: 'k:9092' }

function unusedWith(
  environment: { [name: string]: string },
  references: readonly string[] = Object.keys(used),
) {
  const config = { of: references.map((name) => `\${env:${name}}`) }
  const all = { ...used, ...environment }
  return [...unusedVariables(substitute(config, all, '.').resolved, all)]
}

test.each([
  'CXONE_CLIENT_SECERT',
  'CXONE_CLIENT_SECRETS',
  'CXONE_CLIENT_SECRT',
  'CXONE_CLIENT_SECRAT',
  'CXONE_CLIENTSECRET',
  'CXONE_Client_Secret',
  'cxone_client_secret',
])('%s is a slip for a variable that is referred to', (name) => {
  expect(unusedWith({ [name]: 'other' })).toEqual([
    {
      pointer: '/of/1',
      name: 'unused-variable',
      message: `The environment variables CXONE_CLIENT_SECRET and ${name} are both set, and nothing refers to ${name}.`,
      suggestion: `Unset ${name}, or correct the name in this reference.`,
    },
  ])
})

test.each([
  ['another short word', 'CXONE_CLIENT_IP'],
  ['a number more', 'CXONE_CLIENT_SECRET2'],
  ['another word', 'CXONE_CLIENT_SCOPES'],
  ['more words', 'CXONE_CLIENT_SECRET_FILE'],
  ['another family', 'AXONE_CLIENT_SECRET'],
  ['a family that the config uses once', 'KAFKA_BROKER'],
])('%s is none: %s', (_what, name) => {
  expect(unusedWith({ [name]: 'other' })).toEqual([])
})

test('what is referred to or empty is none, and what is referred to twice is told once', () => {
  const names = ['CXONE_CLIENT_SECRET', 'CXONE_CLIENT_SECRETS', 'CXONE_CLIENT_ID']
  expect(unusedWith({ CXONE_CLIENT_SECRETS: 'a' }, names)).toEqual([])
  expect(unusedWith({ CXONE_CLIENT_SECRETS: '' })).toEqual([])
  expect(unusedWith({ CXONE_CLIENT_SECRETS: 'a' }, ['CXONE_CLIENT_ID', ...Object.keys(used)])).toHaveLength(1)
})
