import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { substitute } from '../../src/config/providers.js'
import { temporaryDirectory } from '../helpers/context.js'

const json =
  '{"user": "me", "pass:word": "p", "port": 90071992547409931, "db": {"a/b": "deep"}, "none": null}'

const files = {
  'secrets/token': 't0ken\n',
  'secrets/lines': 'one\ntwo\n\n',
  'secrets/empty': '\n',
  'secrets/all.properties': 'user = me\npass\\:word: s3cret\\u0021\nempty=\nlong = a\\\n  b\n',
  'secrets/all.json': json,
  'secrets/no-suffix': json,
  'secrets/a:b': 'colon',
  'secrets/bom': '\uFEFFmarked',
  'secrets/broken.json': '{"user": s3cret}',
  'secrets/bad.properties': 'user=s3cret\nother=\\uXYZ',
}

function substituted(text: string, environment: { [name: string]: string } = {}) {
  const folder = temporaryDirectory(files)
  writeFileSync(join(folder, 'secrets/binary'), Buffer.from([0x61, 0xff]))
  writeFileSync(join(folder, 'secrets/large'), 's3cret'.repeat(200_000))
  const { value, problems, resolved, read } = substitute({ a: [text] }, environment, folder)
  return { folder, value: (value as { a: string[] }).a[0], problems, resolved, read }
}

test.each([
  ['${env:NAME}', 'value'],
  ['a ${env:NAME} b ${env:NAME}', 'a value b value'],
  ['${file:secrets/token}', 't0ken'],
  ['${file:./secrets/lines}', 'one\ntwo\n'],
  ['${file:secrets/bom}', 'marked'],
  ['${file:secrets/all.properties:user}', 'me'],
  ['${file:secrets/all.properties:pass:word}', 's3cret!'],
  ['${file:secrets/all.properties:long}', 'ab'],
  ['${file:secrets/all.json:user}', 'me'],
  ['${file:secrets/all.json:pass:word}', 'p'],
  ['${file:secrets/all.json:/db/a~1b}', 'deep'],
  ['${file:secrets/all.json:port}', '90071992547409931'],
  ['${file:secrets/no-suffix:user}', 'me'],
  ['${file:secrets/a:b}', 'colon'],
  ['${dir:secrets:token}', 't0ken'],
  ['${dir:./secrets/:token}', 't0ken'],
  ['${dir:secrets:all.json}', json],
  ['no reference, $ { } $env:X', 'no reference, $ { } $env:X'],
])('%s stands for its value', (text, value) => {
  expect(substituted(text, { NAME: 'value' })).toMatchObject({ value, problems: [] })
})

test.each([
  ['${env:NAEM}', 'The environment variable NAEM is not set.', 'Did you mean "NAME"?'],
  ['${env:EMPTY}', 'The environment variable EMPTY is empty.'],
  ['${env:}', 'The reference names no environment variable.', /\$\{env:NAME\}/],
  ['${file:}', 'The reference names no file.'],
  ['${file:secrets/nope}', 'The file secrets/nope cannot be read: there is no such file.'],
  ['${file:secrets/nope:key}', 'The file secrets/nope cannot be read: there is no such file.'],
  ['${file:secrets}', 'The file secrets cannot be read: it is a folder.'],
  [
    '${file:secrets:token}',
    'The file secrets cannot be read: it is a folder.',
    'Did you mean "${dir:secrets:token}"?',
  ],
  ['${file:secrets/token/x}', 'The file secrets/token/x cannot be read: there is no such file.'],
  ['${file:secrets/empty}', 'The file secrets/empty is empty.'],
  ['${file:secrets/binary}', 'The file secrets/binary cannot be read: it is not UTF-8 text.'],
  ['${file:secrets/large}', 'The file secrets/large cannot be read: it is too large: the limit is 1 MiB.'],
  [
    '${file:secrets/all.properties:usre}',
    'The file secrets/all.properties has no key "usre".',
    'Did you mean "user"?',
  ],
  ['${file:secrets/all.properties:empty}', 'The key "empty" of the file secrets/all.properties is empty.'],
  ['${file:secrets/all.properties:}', 'The reference names no key of the file secrets/all.properties.'],
  [
    '${file:secrets/bad.properties:user}',
    'The file secrets/bad.properties has a malformed \\u escape in line 2.',
  ],
  ['${file:secrets/all.json:usr}', 'The file secrets/all.json has no key "usr".', 'Did you mean "user"?'],
  [
    '${file:secrets/all.json:/db/a~1c}',
    'The file secrets/all.json has no key "/db/a~1c".',
    'Did you mean "/db/a~1b"?',
  ],
  [
    '${file:secrets/all.json:db}',
    'The file secrets/all.json has an object at "db", where text or a number is expected.',
  ],
  [
    '${file:secrets/all.json:none}',
    'The file secrets/all.json has null at "none", where text or a number is expected.',
  ],
  [
    '${file:secrets/all.json:/a~b}',
    'The file secrets/all.json has no value at "/a~b", which is not a JSON Pointer.',
  ],
  ['${file:secrets/broken.json:user}', 'The file secrets/broken.json is not JSON, or has a key twice.'],
  ['${dir:secrets:nope}', 'The file secrets/nope cannot be read: there is no such file.'],
  ['${dir:secrets}', 'The reference should name a folder and a file in it: ${dir:FOLDER:FILE}.'],
  ['${dir:secrets:..}', 'The reference should name a folder and a file in it: ${dir:FOLDER:FILE}.'],
  [
    '${dir:secrets:../secrets/token}',
    'The reference should name a folder and a file in it: ${dir:FOLDER:FILE}.',
  ],
  ['${evn:NAME}', 'There is no provider "evn".', 'Did you mean "env"?'],
  ['${ENV:NAME}', 'There is no provider "ENV".', 'Did you mean "env"?'],
  ['${vault:NAME}', 'There is no provider "vault".', /\$\{dir:FOLDER:FILE\}/],
  ['${NAME}', '"${NAME}" names no provider.', 'Did you mean "${env:NAME}"?'],
  ['${env:NAME', 'A ${...} reference is never closed.', 'Add the closing }.'],
])('%s says what is wrong with it', (text, message, suggestion: string | RegExp = /^/) => {
  const { problems, value } = substituted(text, { NAME: 'value', EMPTY: '' })
  expect(problems).toEqual([
    expect.objectContaining({
      pointer: '/a/0',
      code: 'HG_CONFIG_PROVIDER',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    }),
  ])
  if (suggestion instanceof RegExp) expect(problems[0]?.suggestion ?? '').toMatch(suggestion)
  else expect(problems[0]?.suggestion).toBe(suggestion)
  expect(value).toBe(text)
  expect(JSON.stringify(problems)).not.toContain('s3cret')
})

test('every value is known with its reference, whichever provider gave it', () => {
  const references = [
    '${env:NAME}',
    '${file:secrets/token}',
    '${file:secrets/all.json:user}',
    '${dir:secrets:a:b}',
  ]
  const text = references.slice(0, 3).join(' ')
  const { resolved } = substituted(text, { NAME: 'value' })
  expect(Object.fromEntries(resolved.map(({ value, reference }) => [value, reference]))).toEqual({
    value: references[0],
    t0ken: references[1],
    me: references[2],
  })
})

test('the files that were looked at are listed, those that are missing too', () => {
  const { folder, read } = substituted(
    '${file:secrets/all.json:user}${dir:secrets:token}${file:nope:x}${env:X}',
  )
  expect([...read]).toEqual(['secrets/all.json', 'secrets/token', 'nope'].map((path) => join(folder, path)))
})

test('a ${ that is no reference is written $${', () => {
  expect(substituted('$${name}', {})).toMatchObject({ value: '${name}', problems: [] })
  expect(substituted('^a$${b}$${env:NAME}c$', {})).toMatchObject({
    value: '^a${b}${env:NAME}c$',
    problems: [],
  })
  expect(substituted('$$${id: x}', {})).toMatchObject({ value: '$${id: x}', problems: [] })
  expect(substituted('$${a} ${env:NAME}', { NAME: 'value' })).toMatchObject({
    value: '${a} value',
    problems: [],
  })
  expect(substituted('$$ {id: x} and $$', {})).toMatchObject({ value: '$$ {id: x} and $$', problems: [] })
  expect(substituted('${id: x}', {}).problems[0]?.suggestion).toContain('write $${')
})

test('a value is not looked into for further references', () => {
  expect(substituted('${env:NAME}', { NAME: '${env:NAME}' })).toMatchObject({
    value: '${env:NAME}',
    problems: [],
  })
})

test('what is neither a file nor a folder is not waited for', () => {
  const folder = temporaryDirectory()
  const { problems } = substitute({ a: '${file:/dev/zero}' }, {}, folder)
  expect(problems[0]?.message).toBe('The file /dev/zero cannot be read: it is not a regular file.')
})
