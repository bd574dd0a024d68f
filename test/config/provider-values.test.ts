import { expect, test } from 'vitest'
import { parseProperties } from '../../src/config/provider-values.js'

const read = (text: string): unknown => {
  const properties = parseProperties(text)
  return 'values' in properties ? Object.fromEntries(properties.values) : properties
}

test.each<[string, string, object]>([
  ['equals sign', 'a=1\nb = 2', { a: '1', b: '2' }],
  ['colon', 'a:1\nb : 2', { a: '1', b: '2' }],
  ['white space', 'a 1\nb\t\f2', { a: '1', b: '2' }],
  ['no separator', 'a\nb=', { a: '', b: '' }],
  [
    'further separators belong to the value',
    'a==1\nb=c:d\nurl=https://x',
    { a: '=1', b: 'c:d', url: 'https://x' },
  ],
  ['white space around the key, not behind the value', '  a = 1  ', { a: '1  ' }],
  ['comments and blank lines', '# a=1\n ! b=2\n\n \t\nc=3 # d', { c: '3 # d' }],
  ['a comment is not continued', '# a=1\\\nb=2', { b: '2' }],
  ['continued lines lose their white space', 'a=1,\\\n   2,\\\r\n\t3', { a: '1,2,3' }],
  ['an escaped backslash continues nothing', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a continuation that is blank', 'a=1\\\n\nb=2', { a: '1', b: '2' }],
  ['a continuation that looks like a comment', 'a=1\\\n#2', { a: '1#2' }],
  ['a line of only a backslash has not begun', '\\\n#a=1\nb=2', { b: '2' }],
  ['a backslash at the end of the text', 'a=1\\', { a: '1' }],
  ['escaped separators in a key', 'a\\=b\\:c\\ d=1', { 'a=b:c d': '1' }],
  ['escapes', 'a=\\t\\n\\r\\f\\q\\"', { a: '\t\n\r\fq"' }],
  ['unicode escapes, pairs too', 'a=\\u00fc\\ud83d\\ude00\nk\\u0065y=1', { a: 'ü😀', key: '1' }],
  ['an escape that makes a separator makes none', 'a\\u003db=1', { 'a=b': '1' }],
  ['the last of equal keys', 'a=1\na=2', { a: '2' }],
  ['all three line ends', 'a=1\rb=2\r\nc=3', { a: '1', b: '2', c: '3' }],
  ['no text', '', {}],
])('%s', (_name, text, expected) => {
  expect(read(text)).toEqual(expected)
})

test('an escape that Java would refuse is refused with its line', () => {
  expect(read('a=1\nb=\\u12g4')).toEqual({ malformed: 2 })
})
