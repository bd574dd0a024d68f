import { describe, expect, it } from 'vitest'
import { xmlFields } from '../../../src/lib/body/xml.js'

const limits = { maxDepth: 8, maxFields: 20 }
const read = (text: string | Buffer) => JSON.parse(JSON.stringify(xmlFields(Buffer.from(text), limits)))

describe('xmlFields', () => {
  it.each<[string, string, unknown]>([
    ['an element with text is the text', '<a> x </a>', { a: ' x ' }],
    ['an empty element is an empty text', '<a/>', { a: '' }],
    ['attributes have an @', '<a b="1" c="2"/>', { a: { '@b': '1', '@c': '2' } }],
    ['text beside attributes is #text', '<a b="1">x</a>', { a: { '@b': '1', '#text': 'x' } }],
    ['text beside elements is #text', '<a>x<b/>y</a>', { a: { b: '', '#text': 'xy' } }],
    ['white space between elements is left out', '<a>\n  <b>1</b>\n</a>', { a: { b: '1' } }],
    ['white space is kept where there is nothing else', '<a b="1"> </a>', { a: { '@b': '1', '#text': ' ' } }],
    ['elements of one name are an array', '<a><b>1</b><c/><b>2</b></a>', { a: { b: ['1', '2'], c: '' } }],
    ['names keep their prefix', '<s:a xmlns:s="u"><s:b/></s:a>', { 's:a': { '@xmlns:s': 'u', 's:b': '' } }],
    ['CDATA is text', '<a><![CDATA[<x>&]]></a>', { a: '<x>&' }],
    ['comments and instructions are left out', '<?p q?><a><!-- c -->x<?p?></a>', { a: 'x' }],
    [
      'the entities of XML are characters',
      '<a b="&quot;">&lt;&amp;&#65;&#x1F600;</a>',
      { a: { '@b': '"', '#text': '<&A😀' } },
    ],
    ['an encoding of UTF-8 is fine', '<?xml version="1.0" encoding="utf-8"?><a>ä</a>', { a: 'ä' }],
    [
      'a name of an object is a name',
      '<a><constructor/><toString>x</toString></a>',
      { a: { constructor: '', toString: 'x' } },
    ],
  ])('%s', (_what, text, value) => {
    expect(read(text)).toEqual(value)
  })

  it('an element named __proto__ is a member like any other', () => {
    const text = JSON.stringify(xmlFields(Buffer.from('<a><__proto__><x>1</x></__proto__></a>'), limits))
    expect(text).toBe('{"a":{"__proto__":{"x":"1"}}}')
  })

  it.each([
    ['a document type', '<!DOCTYPE a><a/>', 'DOCTYPE'],
    ['an entity that expands', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'DOCTYPE'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'DOCTYPE'],
    ['an unknown entity', '<a>&nbsp;</a>', 'line 1'],
    ['the name of a function of JavaScript as an entity', '<a>&constructor;</a>', 'line 1'],
    ['an attribute that comes twice', '<a b="1" b="2"/>', 'line 1'],
    ['two roots', '<a/><b/>', 'line 1'],
    ['an open element', '<a>\n<b></a>', 'line 2'],
    ['text only', 'hello', 'line 1'],
    ['nothing', '', 'not XML'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'UTF-8'],
    ['a control character', '<a>&#1;</a>', 'line 1'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => read(Buffer.from([0x3c, 0x61, 0x3e, 0xff]))).toThrow('UTF-8')
  })

  it('bounds depth and the number of elements and attributes', () => {
    const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`
    expect(() => read(nested(8))).not.toThrow()
    expect(() => read(nested(9))).toThrow('more than 8 deep')
    const wide = (count: number) => `<a>${'<b/>'.repeat(count - 1)}</a>`
    expect(() => read(wide(20))).not.toThrow()
    expect(() => read(wide(21))).toThrow('more than 20 fields')
    const attributes = Array.from({ length: 20 }, (_, index) => `x${index}=""`).join(' ')
    expect(() => read(`<a ${attributes}/>`)).toThrow('more than 20 fields')
  })
})
