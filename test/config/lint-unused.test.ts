import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unusedSecrets } from '../../src/config/lint-unused.js'
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
      message: 'No reference names the key "old" of the file s.properties, and all its other keys are named.',
      suggestion: 'Remove it from the file, or refer to it: "${file:s.properties:old}".',
    },
  ])
})

test('a key of a JSON file is named as a reference names it, however the others are written', () => {
  const others = (...keys: string[]) => found(keys.map((key) => `\${file:s.json:${key}}`))
  expect(others('user', '/db/password')).toMatchObject([
    {
      message: expect.stringContaining('the key "/db/port" of'),
      suggestion: expect.stringContaining('"${file:s.json:/db/port}"'),
    },
  ])
  expect(others('/db/port', '/db/password')).toMatchObject([{ message: expect.stringContaining('"user"') }])
  expect(others('/user', '/db/password', '/db/port')).toEqual([])
})

test('the one file of a folder that no reference names is named; what Kubernetes puts beside it is not', () => {
  expect(found(mounted)).toEqual([
    {
      pointer: '/of/0',
      name: 'unused-secret',
      message: 'No reference names the file "old" of the folder mount, and all its other files are named.',
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
