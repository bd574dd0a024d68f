import { expect, test } from 'vitest'
import { mediaType } from '../../../src/lib/body/media-type.js'

const read = (text: string, name = 'charset') => {
  const type = mediaType(text)
  return type && [type.type, ...type.parameters(name)]
}

test.each([
  ['text/xml', ['text/xml']],
  ['Text/XML ; Charset=UTF-8', ['text/xml', 'UTF-8']],
  ['text/xml;charset="utf-8"; charset = latin1 ;x=1', ['text/xml', 'utf-8', 'latin1']],
  ['text/xml;x="a;charset=b";charset="a\\"b"', ['text/xml', 'a"b']],
  ['text/xml;charset=', ['text/xml', '']],
  ['text/xml;;charset= ;', ['text/xml', '']],
  ['text/xml;charset="utf-8', ['text/xml']],
  ['text', undefined],
  ['text/xml, text/html', undefined],
])('%s', (text, found) => {
  expect(read(text)).toEqual(found)
})

test.each([
  `text/xml;a=${' '.repeat(100_000)}"`,
  `text/xml;a${' '.repeat(100_000)}"`,
  `text/xml;a="${'\\'.repeat(100_001)}`,
  `text/xml${' '.repeat(100_000)}x`,
])(
  'a text of which no parameter can be made is read once, and not from each of its characters: %.20s',
  (text) => {
    expect(read(text) ?? []).not.toContain('a')
  },
)
